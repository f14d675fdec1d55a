#!/usr/bin/env bash
# The main job on real input: a change that is merged, and one that is blocked.
# Makes a scratch repository from this example, with a branch for each change.
#   demo.sh SCRATCH_FOLDER      (`mlops-action` and the notebooks' packages must be on PATH)
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
scratch="${1:?give a folder to work in}"

bold() { if [ -t 1 ]; then printf '\033[1m%s\033[0m\n' "$*"; else printf '%s\n' "$*"; fi; }
show() {
  bold "\$ $*"
  "$@"
}
expect() { # expect CODE COMMAND...: run it, and stop unless it ends with CODE
  local wanted="$1" code=0
  shift
  show "$@" || code=$?
  echo "(exit code $code)"
  if [ "$code" != "$wanted" ]; then
    echo "the demo expected exit code $wanted" >&2
    exit 1
  fi
}
git() { command git -c user.name=demo -c user.email=demo@example.org -c commit.gpgsign=false "$@"; }

rm -rf "$scratch"
mkdir -p "$scratch"
cp -R "$here/." "$scratch"
cd "$scratch"
rm -rf demo.sh mlops-out data model metrics.json
git init --quiet --initial-branch=main .
git add --all
git commit --quiet --message "The accepted model, with its metrics"

bold "== What would run?"
show mlops-action plan

echo
bold "== First merge: less regularisation (branch weaker-penalty)"
git switch --quiet --create weaker-penalty main
sed 's/C: 1\.0/C: 2.0/' mlops.yaml >mlops.yaml.new && mv mlops.yaml.new mlops.yaml
git commit --quiet --all --message "Regularise less"
git --no-pager diff --unified=0 main -- mlops.yaml | tail -n 2
expect 0 mlops-action run
cp -R mlops-out ../accepted

echo
bold "== Second merge: a smaller model (branch four-features)"
git switch --quiet --force --create four-features main
sed 's/features: 30/features: 4/' mlops.yaml >mlops.yaml.new && mv mlops.yaml.new mlops.yaml
git commit --quiet --all --message "Use four features only"
git --no-pager diff --unified=0 main -- mlops.yaml | tail -n 2
expect 1 mlops-action run
cp -R mlops-out ../blocked

echo
bold "== Done: the first merge was accepted (exit code 0), the second one blocked (exit code 1)."
echo "Reports:    $(cd .. && pwd)/accepted/report.html"
echo "            $(cd .. && pwd)/blocked/report.html"
echo "Beside each: report.md, manifest.json, junit.xml and the executed notebooks."
