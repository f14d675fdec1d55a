"""``mlops-action manifest verify``."""

from __future__ import annotations

import click

from mlops_action.cli.common import say_json, with_document
from mlops_action.context import Context


@click.command("verify")
@click.argument("manifest", default="", metavar="[MANIFEST]")
@click.option("--root", default="", metavar="DIR", help="Project folder; by default the one with mlops.yaml.")
@click.option("--key", default="", metavar="FILE", help="Public key in PEM form that the manifest must be signed with.")
@click.option("--strict", is_flag=True, help="What cannot be checked here counts as wrong.")
@click.option("--packages/--no-packages", default=True, help="Look at the files of the installed packages as well.")
@click.option("--all", "show_all", is_flag=True, help="List what is right as well.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(manifest: str, root: str, key: str, **flags: bool) -> None:
    """Check a manifest against what is here, offline.

    Its schema, id and signature, the source tree, every file of data, code and outputs, and every file of
    every installed package. Says which is missing, altered or extra; ends with 1 when anything is.
    MANIFEST is a manifest.json or the folder of its run; by default that of the latest run.
    """

    def work(context: Context) -> int:
        from mlops_action.manifests.findings import Is, is_wrong
        from mlops_action.manifests.places import project_of
        from mlops_action.manifests.read import read_manifest
        from mlops_action.manifests.report import verify_lines
        from mlops_action.manifests.verify import Place, verify
        from mlops_action.repository import Repository

        folder = project_of(context.cwd, root)
        document = read_manifest(context.cwd / manifest if manifest else folder.latest)
        place = Place(
            folder.root, Repository(folder.root, context.env), context.cwd / key if key else None, flags["packages"]
        )
        findings = verify(document, place)
        wrong = is_wrong(findings) or (flags["strict"] and any(each.state is Is.UNCHECKED for each in findings))
        if flags["as_json"]:
            say_json(context, {"ok": not wrong, "findings": [each.json() for each in findings]})
        else:
            context.out.writelines(
                f"{line}\n" for line in verify_lines(document, findings, everything=flags["show_all"])
            )
        return int(wrong)

    with_document(work)
