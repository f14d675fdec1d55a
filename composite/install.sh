#!/usr/bin/env bash
# Installs mlops-action into an environment of its own, from the checkout of this action
# (so the code is the ref that the workflow pins) and the locked list of its dependencies.
set -euo pipefail

home="${RUNNER_TEMP:?this script is for GitHub runners}/mlops-action"
lock="$GITHUB_ACTION_PATH/requirements.lock"

if [ -f "$home/installed" ] && [ "$(cat "$home/installed")" = "$GITHUB_ACTION_PATH" ]; then
  exit 0 # an earlier step of this job did it
fi

python=""
for candidate in python3 python; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python="$candidate"
    break
  fi
done
if [ -z "$python" ]; then
  echo "::error title=mlops-action::needs Python 3.11 or later on PATH; add a step that sets it up (actions/setup-python)"
  exit 4
fi

rm -rf "$home"
"$python" -m venv "$home"
if [ -x "$home/bin/python" ]; then own="$home/bin/python"; else own="$home/Scripts/python.exe"; fi
"$own" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --requirement "$lock"
"$own" - "$GITHUB_ACTION_PATH" <<'PYTHON'
import pathlib, sys, sysconfig
pathlib.Path(sysconfig.get_path("purelib"), "mlops_action.pth").write_text(sys.argv[1] + "\n")
PYTHON
printf '%s' "$GITHUB_ACTION_PATH" >"$home/installed"
