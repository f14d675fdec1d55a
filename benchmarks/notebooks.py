"""How long notebooks take, beside papermill, ``jupyter execute``, nbconvert and nbmake.

Run by hand: ``python benchmarks/notebooks.py --rounds 5``. Rounds are interleaved, so that
whatever else the machine does meets every tool alike. Each tool is in a virtual environment
of its own under ``.build/bench/``, made when it is missing. Everything that a run of ours
does is included: validation, sanitised log, reports, manifest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from statistics import median

from cases import CASES, Case, complete
from measure import Measured, measured
from peers import BUILD, PEERS, Peer, environment, prepare

Runs = dict[tuple[str, str], list[Measured]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", default="abcd", help="which cases, for example: ab")
    parser.add_argument("--peers", default="", help="only tools with these words in their names, comma-separated")
    parser.add_argument("--source", default="", help="folder with another state of mlops_action to measure")
    options = parser.parse_args()
    words = [word for word in options.peers.split(",") if word]
    peers = [peer for peer in PEERS if not words or any(word in peer.name for word in words)]
    cases = [CASES[key] for key in options.cases]
    BUILD.mkdir(parents=True, exist_ok=True)
    versions = prepare({peer.env for peer in peers})
    runs: Runs = defaultdict(list)
    bad: list[str] = []
    for number in range(options.rounds + 1):  # the first round only fills caches
        for case in cases:
            for peer in (peer for peer in peers if case.key in peer.cases):
                result, why = one_run(peer, case, options.source)
                print(f"round {number} {case.key} {peer.name}: {result.wall:.2f} s {why}", file=sys.stderr, flush=True)
                if why:
                    bad.append(f"{case.key}, {peer.name}, round {number}: {why}")
                elif number:
                    runs[case.key, peer.name].append(result)
    report(cases, peers, runs)
    for line in bad:
        print(f"not counted: {line}")
    save(runs, bad, versions)
    return 1 if bad else 0


def one_run(peer: Peer, case: Case, source: str) -> tuple[Measured, str]:
    """Run a case in a fresh folder; why it must not be counted, or empty."""
    folder = Path(tempfile.mkdtemp(prefix="bench-")) / "work"
    try:
        names = case.write(folder)
        if peer.config is not None:
            (folder / "mlops.yaml").write_text(peer.config(names))
        log = BUILD / "last.log"
        result = measured(["sh", "-c", peer.command(names)], folder, environment(peer.env, source), log)
        if result.code:
            return result, f"exit code {result.code}: {log.read_bytes()[-200:].decode(errors='replace').strip()}"
        whole = not peer.executed or complete(case, sorted(folder.glob(peer.executed)))
        return result, "" if whole else "the executed notebooks are not complete"
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


def report(cases: list[Case], peers: list[Peer], runs: Runs) -> None:
    """Medians, and the median of the rounds' ratios to papermill's wall time."""
    print(f"\n{'':24}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'of papermill':>14}")
    for case in cases:
        print(f"({case.key}) {case.what}")
        for peer in peers:
            own = runs.get((case.key, peer.name))
            if not own:
                continue
            theirs = runs.get((case.key, "papermill"), [])
            ratios = [one.wall / other.wall for one, other in zip(own, theirs, strict=False)]
            ratio = f"{median(ratios):.2f}" if ratios else ""
            wall, cpu, rss = (median(getattr(run, name) for run in own) for name in ("wall", "cpu", "rss"))
            print(f"    {peer.name:20}{wall:9.2f}{cpu:9.2f}{rss:9.0f}{ratio:>14}")


def save(runs: Runs, bad: list[str], versions: dict[str, str]) -> None:
    document = {
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
        "versions": versions,
        "runs": [{"case": case, "peer": peer, **asdict(run)} for (case, peer), each in runs.items() for run in each],
        "not_counted": bad,
    }
    (BUILD / "notebooks.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
