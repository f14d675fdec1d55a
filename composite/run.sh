#!/usr/bin/env bash
# Runs mlops-action on the INPUT_* variables of its step; its exit code is the step's.
set -euo pipefail

home="${RUNNER_TEMP:?this script is for GitHub runners}/mlops-action"
if [ -x "$home/bin/python" ]; then own="$home/bin/python"; else own="$home/Scripts/python.exe"; fi
# Isolated (-I): neither a `random.py` in the checkout nor the job's PYTHONPATH may stand in for what we import.
exec "$own" -I -m mlops_action.action "$@"
