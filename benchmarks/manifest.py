"""CPU seconds of capture and verification, beside `dvc` and `model_signing`, which are installed for it.

    python benchmarks/manifest.py --folder SCRATCH [--files 100000] [--gigabytes 4]

Everything is in the page cache: files are read once before anything is measured. CPU seconds are user and
system time of the process and its children, the least of the rounds.

Ours are measured within one process; `ours: ...` and the other tools are whole commands, with the start of Python.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from peers import BUILD, install

from mlops_action.digests import search
from mlops_action.facts.distributions import distributions_on
from mlops_action.hashing import StatCache, states_of

BUDGETS = {"small cold": 2.5, "small re-check": 1.0, "big": 3.9, "environment": 0.1}
"""CPU seconds that the issue asks for, at 100,000 files of 4 KiB, 4 GiB and 250 distributions."""
PEERS = {"dvc": ["dvc"], "model_signing": ["model-signing", "pyopenssl"]}
_BLOCK = 1 << 20


def cpu() -> float:
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(who)
        total += used.ru_utime + used.ru_stime
    return total


def least(rounds: int, work: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds, the least of each."""
    found = []
    for _ in range(rounds):
        before, clock = cpu(), time.monotonic()
        work()
        found.append((cpu() - before, time.monotonic() - clock))
    return min(each[0] for each in found), min(each[1] for each in found)


def make_small(folder: Path, count: int) -> None:
    for number in range(count):
        path = folder / f"d{number // 1000:04}" / f"f{number % 1000:04}.bin"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(os.urandom(64) * 64)


def make_big(path: Path, gigabytes: float) -> None:
    block = os.urandom(_BLOCK)
    with path.open("wb") as handle:
        for _ in range(int(gigabytes * 1024)):
            handle.write(block)


def environment(count: int) -> list[str]:
    """Folders that hold so many distributions: those of the benchmarks' and of our own environment."""
    folders = [*sys.path, *(str(each) for each in sorted(BUILD.glob("env-*/lib/python*/site-packages")))]
    chosen: list[str] = []
    while folders and len(distributions_on(chosen)) < count:
        chosen.append(folders.pop(0))
    if len(distributions_on(chosen)) < count:
        raise SystemExit(f"there are only {len(distributions_on(chosen))} distributions here, not {count}")
    return chosen


def warm(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as handle:
                while handle.read(_BLOCK):
                    pass


def capture(root: Path, cache: Path | None) -> int:
    kept = StatCache(cache) if cache else None
    states = states_of(root, search(root, ["data"]).names, kept)
    if kept:
        kept.write()
    return len(states)


def tool(*command: str | Path, at: Path) -> Callable[[], object]:
    return lambda: subprocess.run([str(each) for each in command], cwd=at, check=True, capture_output=True)


def peers() -> dict[str, Path]:
    """The programs of the other tools, each in an environment of its own."""
    found = {}
    for program, needed in PEERS.items():
        folder = BUILD / f"env-{program}"
        if not (folder / "bin" / program).exists():
            install(folder, needed)
        found[program] = folder / "bin" / program
    return found


def others(root: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """The same data by other tools. DVC also stores what it adds, by hard links here: that costs no copying."""
    programs, key = peers(), root.parent / "key"
    git, dvc, signing = "git", programs["dvc"], programs["model_signing"]
    for command in (
        (git, "init", "-q"),
        (dvc, "init", "-q"),
        (dvc, "config", "core.analytics", "false"),
        (dvc, "config", "cache.type", "hardlink,copy"),
    ):
        tool(*command, at=root)()
    found = {"dvc add": least(1, tool(dvc, "add", "-q", "data", at=root))}
    found["dvc status"] = least(rounds, tool(dvc, "status", at=root))
    for made in (("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{key}.pem"),
                 ("ec", "-in", f"{key}.pem", "-pubout", "-out", f"{key}.pub")):  # fmt: skip
        tool("openssl", *made, at=root)()
    said = ("--signature", root.parent / "sig", root / "data")
    found["model_signing sign"] = least(
        rounds, tool(signing, "sign", "key", "--private_key", f"{key}.pem", *said, at=root)
    )
    found["model_signing verify"] = least(
        rounds, tool(signing, "verify", "key", "--public_key", f"{key}.pub", *said, at=root)
    )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--folder", default=None, help="where scratch files are made")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--gigabytes", type=float, default=4.0)
    parser.add_argument("--distributions", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rows: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
        small, big, cache = Path(scratch) / "small", Path(scratch) / "big", Path(scratch) / "stat.json"
        make_small(small / "data", given.files)
        warm(small)
        time.sleep(2.5)  # files younger than the clock's tick are not kept in the cache
        rows["small cold"] = least(given.rounds, lambda: capture(small, None))
        capture(small, cache)
        rows["small re-check"] = least(given.rounds, lambda: capture(small, cache))
        rows |= {f"small: {name}": value for name, value in others(small, given.rounds).items()}
        if given.gigabytes:
            (big / "data").mkdir(parents=True)
            make_big(big / "data" / "big.bin", given.gigabytes)
            warm(big)
            rows["big"] = least(given.rounds, lambda: capture(big, None))
            rows |= {f"big: {name}": value for name, value in others(big, given.rounds).items()}
        folders = environment(given.distributions)
        rows["environment"] = least(given.rounds * 3, lambda: distributions_on(folders))
    for name, (used, wall) in rows.items():
        budget = f"  (budget {BUDGETS[name]})" if name in BUDGETS else ""
        print(f"{name:<28} {used:7.2f} s CPU {wall:7.2f} s wall{budget}")
    print(json.dumps({name: round(used, 3) for name, (used, _) in rows.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
