"""CI systems. To add one: one file here, one line below, one golden transcript, one example."""

CI_SYSTEMS = {
    "github": "mlops_action.ci.github:GitHub",
    "gitlab": "mlops_action.ci.gitlab:GitLab",
    "jenkins": "mlops_action.ci.jenkins:Jenkins",
    "azure": "mlops_action.ci.azure:Azure",
    "buildkite": "mlops_action.ci.buildkite:Buildkite",
    "circleci": "mlops_action.ci.circleci:CircleCi",
    "bitbucket": "mlops_action.ci.bitbucket:Bitbucket",
    "tekton": "mlops_action.ci.tekton:Tekton",
    "generic": "mlops_action.ci.generic:Generic",
}
"""CI systems by name; the first that is present is used, and the generic one always is."""
