"""``mlops-action manifest explain``."""

from __future__ import annotations

import click

from mlops_action.cli.common import with_document
from mlops_action.context import Context


@click.command("explain")
@click.argument("manifest", default="", metavar="[MANIFEST]")
def command(manifest: str) -> None:
    """Tell in plain prose what a run did, with a section for the model card."""

    def work(context: Context) -> int:
        from mlops_action.manifests.explain import explanation
        from mlops_action.manifests.places import project_of
        from mlops_action.manifests.read import checked_manifest

        path = context.cwd / manifest if manifest else project_of(context.cwd, "").latest
        context.out.write(explanation(checked_manifest(path).whole))
        return 0

    with_document(work)
