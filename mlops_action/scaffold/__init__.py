"""What ``init`` writes. To add a CI system: one template here, one line below."""

TEMPLATES = {
    "github": ("github.yml", ".github/workflows/model.yml"),
    "gitlab": ("gitlab.yml", ".gitlab-ci.yml"),
    "jenkins": ("Jenkinsfile", "Jenkinsfile"),
}
"""CI systems: the template's file, and where it goes in the user's repository."""
EXAMPLES = {"github": "github-minimal.yml", "gitlab": "gitlab-minimal.yml", "jenkins": "Jenkinsfile-minimal"}
"""The same templates as files of ``workflows-examples/``."""
