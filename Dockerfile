# The image of mlops-action: job image of GitLab and Jenkins, and the container action of GitHub.
# Any Debian-like base with Python 3.11 or later will do: --build-arg BASE_IMAGE=...
ARG BASE_IMAGE=python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254
FROM ${BASE_IMAGE}

ARG BASE_IMAGE
LABEL org.opencontainers.image.title="mlops-action" \
      org.opencontainers.image.description="CI/CD for machine-learning merges" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"

# git is asked about commits and baselines; slim images do not have it.
RUN command -v git >/dev/null \
 || { apt-get update -q && apt-get install -qy --no-install-recommends git && rm -rf /var/lib/apt/lists/*; }

ENV PATH=/opt/mlops-action/bin:$PATH \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

# Dependencies first: they change less often than our code. The environment also holds the
# `python3` kernel, so what a job or a derived image installs with `pip` is what notebooks see.
# Nothing is compiled here, as most of it is never imported; setuptools comes with old Pythons only.
COPY requirements-image.lock /opt/mlops-action/
RUN python3 -m venv /opt/mlops-action \
 && pip install --no-cache-dir --no-compile --require-hashes --requirement /opt/mlops-action/requirements-image.lock \
 && pip uninstall --quiet --yes setuptools \
 && find /opt/mlops-action -name __pycache__ -prune -exec rm -r '{}' +

COPY mlops_action /opt/mlops-action/src/mlops_action
COPY container/mlops-action /opt/mlops-action/bin/mlops-action
# Any user may read the code, whatever the umask of the checkout was; a login shell, which forgets
# PATH, finds the command, too. The one run proves that the image works, and leaves the bytecode
# of just those modules that a run imports.
RUN python -c "import pathlib, sysconfig; \
pathlib.Path(sysconfig.get_path('purelib'), 'mlops_action.pth').write_text('/opt/mlops-action/src\n')" \
 && chmod -R a+rX /opt/mlops-action/src /opt/mlops-action/bin/mlops-action /opt/mlops-action/requirements-image.lock \
 && ln -s /opt/mlops-action/bin/mlops-action /usr/local/bin/ \
 && mkdir /tmp/first && cd /tmp/first \
 && HOME=/tmp/first PYTHONDONTWRITEBYTECODE='' mlops-action run --gates none --code 'print("ready")' \
 && rm -r /tmp/*

# Exec form: a shell in between would drop inputs with a hyphen in their name. Isolated (-I): neither
# a `random.py` in the checkout nor the job's PYTHONPATH may stand in for what we import.
ENTRYPOINT ["/opt/mlops-action/bin/python", "-I", "-m", "mlops_action.entrypoint"]
