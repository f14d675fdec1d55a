"""``mlops-action manifest export``."""

from __future__ import annotations

import click

from mlops_action.cli.common import with_document
from mlops_action.context import Context
from mlops_action.formats import EXPORTS


@click.command("export")
@click.argument("form", type=click.Choice(list(EXPORTS)), metavar=f"[{'|'.join(EXPORTS)}]")
@click.argument("manifest", default="", metavar="[MANIFEST]")
@click.option("--to", "folder", default="", metavar="DIR", help="Folder to write to; by default the manifest's own.")
@click.option("--root", default="", metavar="DIR", help="Project folder; by default the one with mlops.yaml.")
@click.option("--lock", default="", metavar="FILE", help="For pylock: uv.lock or pylock.toml that names the archives.")
def command(form: str, manifest: str, folder: str, root: str, lock: str) -> None:
    """Write a manifest in another form.

    in-toto statement, test results, SLSA provenance, CycloneDX, RO-Crate with the files themselves, pylock.toml
    or OpenLineage events.
    """

    def work(context: Context) -> int:
        from mlops_action.manifests.export import export
        from mlops_action.manifests.places import project_of
        from mlops_action.manifests.read import checked_manifest
        from mlops_action.sanitize import inline

        project = project_of(context.cwd, root)
        document = checked_manifest(context.cwd / manifest if manifest else project.latest)
        usual = document.folder / "ro-crate" if form == "rocrate" else document.folder
        target = context.cwd / folder if folder else usual
        written, missing = export(document, form, project.root, target, context.cwd / lock if lock else None)
        context.out.writelines(f"Wrote {inline(str(path))}\n" for path in written[-1:])
        context.out.writelines(f"  left out: {inline(each)}\n" for each in missing)
        return 0

    with_document(work)
