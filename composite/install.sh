#!/usr/bin/env bash
# Installs mlops-action into an environment of its own, from the checkout of this action
# (so the code is the ref that the workflow pins) and the locked list of its dependencies.
# Exit code 4, as everywhere in mlops-action, says that the machine is at fault, not the model.
set -euo pipefail

home="${RUNNER_TEMP:?this script is for GitHub runners}/mlops-action"
# The root of the action: its sub-actions lie one folder below it.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
lock="$root/requirements.lock"

if [ -f "$home/installed" ] && [ "$(cat "$home/installed")" = "$root" ]; then
  exit 0 # an earlier step of this job did it
fi

fail() {
  echo "::error title=mlops-action::$1"
  exit 4
}

# What the job set for its own Python is not meant for ours.
unset PYTHONHOME PYTHONPATH PIP_CONSTRAINT PIP_PREFIX PIP_REQUIREMENT PIP_ROOT PIP_TARGET PIP_USER

python=""
for candidate in python3 python; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python="$candidate"
    break
  fi
done
[ -n "$python" ] || fail "needs Python 3.11 or later on PATH; add a step that sets it up (actions/setup-python)"

rm -rf "$home"
"$python" -I -m venv "$home" || fail "$python cannot make a virtual environment; add a step actions/setup-python"
if [ -x "$home/bin/python" ]; then own="$home/bin/python"; else own="$home/Scripts/python.exe"; fi
"$own" -I -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --requirement "$lock" ||
  fail "its dependencies could not be installed; the lines above say why"
"$own" -I - "$root" <<'PYTHON'
import pathlib, sys, sysconfig
pathlib.Path(sysconfig.get_path("purelib"), "mlops_action.pth").write_text(sys.argv[1] + "\n")
PYTHON
# Later steps of the job can say `mlops-action …`; the folder holds nothing else, so nothing of theirs is hidden.
mkdir "$home/command"
printf '#!/usr/bin/env bash\nexec "%s" -I -m mlops_action "$@"\n' "$own" >"$home/command/mlops-action"
chmod +x "$home/command/mlops-action"
if [ -n "${GITHUB_PATH:-}" ]; then echo "$home/command" >>"$GITHUB_PATH"; fi
printf '%s' "$root" >"$home/installed"
echo "mlops-action is installed in $SECONDS s"
