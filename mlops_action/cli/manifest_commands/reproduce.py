"""``mlops-action manifest reproduce``."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_action.cli.common import say_json, with_document
from mlops_action.context import Context

STAGES = ("record", "source", "data", "environment", "run", "compare")


@click.command("reproduce")
@click.argument("manifest", metavar="MANIFEST")
@click.option("--to", "folder", default="", metavar="DIR", help="Folder to work in; by default ./reproduction.")
@click.option("--source", default="", metavar="URL", help="Repository to clone instead of the recorded remote.")
@click.option("--data", default="", metavar="DIR", help="Folder that holds data files which are not in the repository.")
@click.option("--lock", default="", metavar="FILE", help="uv.lock or pylock.toml that names the packages' archives.")
@click.option("--python", default="", metavar="PATH", help="Use this interpreter and its packages; build none.")
@click.option("--only", multiple=True, type=click.Choice(STAGES), help="Do this stage alone. May be repeated.")
@click.option("--again", is_flag=True, help="Do every stage, whatever was done before.")
@click.option("--level", type=click.IntRange(0, 5), default=4, help="End with 1 below this level; 4 by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(manifest: str, folder: str, only: tuple[str, ...], level: int, **given: str) -> None:
    """Do a run again from its manifest, in an empty folder.

    Clones and patches the source, checks the data, rebuilds the environment, runs the steps and compares.
    Levels: 0 recorded, 1 inputs pinned, 2 environment rebuildable, 3 environment equal, 4 re-run within
    tolerance, 5 bit-identical. This runs the code of the recorded commit.
    """

    def work(context: Context) -> int:
        from mlops_action.manifests.read import read_manifest
        from mlops_action.manifests.reproduce.levels import level_of
        from mlops_action.manifests.reproduce.stages import reproduce, result_lines
        from mlops_action.manifests.reproduce.workplace import Wishes, Workplace
        from mlops_action.sanitize import inline

        def path(name: str) -> Path | None:
            return context.cwd / given[name] if given[name] else None

        def say(text: str) -> None:
            if not given["as_json"]:
                context.out.write(inline(text) + "\n")
                context.out.flush()

        target = context.cwd / (folder or "reproduction")
        target.mkdir(parents=True, exist_ok=True)
        python = str(context.cwd / given["python"]) if given["python"] else ""
        wishes = Wishes(given["source"], path("data"), path("lock"), python)
        document = read_manifest(context.cwd / manifest)
        place = Workplace(document, target.resolve(), context.env, wishes, say)
        checks = reproduce(place, only, again=bool(given["again"]))
        reached = level_of(checks)
        if given["as_json"]:
            listed = [each.json() for each in checks]
            say_json(context, {"level": int(reached), "words": reached.words, "checks": listed})
        else:
            context.out.writelines(f"{line}\n" for line in result_lines(checks))
        return 0 if only or reached >= level else 1

    with_document(work)
