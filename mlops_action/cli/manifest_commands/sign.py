"""``mlops-action manifest sign``."""

from __future__ import annotations

import click

from mlops_action.cli.common import with_document
from mlops_action.context import Context


@click.command("sign")
@click.argument("manifest", default="", metavar="[MANIFEST]")
@click.option("--key", required=True, metavar="FILE", help="Private key in PEM form, Ed25519 or ECDSA.")
@click.option("--password-variable", default="", metavar="NAME", help="Environment variable with the key's password.")
def command(manifest: str, key: str, password_variable: str) -> None:
    """Sign a manifest with a local key.

    Writes manifest.dsse.json beside it: a DSSE envelope around its in-toto statement, for verify --key.
    Needs the extra `sign`.
    """

    def work(context: Context) -> int:
        from mlops_action.files import write_whole
        from mlops_action.manifests.places import project_of
        from mlops_action.manifests.read import checked_manifest
        from mlops_action.manifests.signing import envelope_bytes, sign
        from mlops_action.stores.folder import SIGNATURE_FILE

        path = context.cwd / manifest if manifest else project_of(context.cwd, "").latest
        document = checked_manifest(path)
        password = context.env.get(password_variable, "").encode() if password_variable else None
        envelope = sign(document, context.cwd / key, password)
        target = document.folder / SIGNATURE_FILE
        write_whole(target, envelope_bytes(envelope))
        context.out.write(f"Wrote {target}\nKey {envelope['signatures'][0]['keyid']}\n")
        return 0

    with_document(work)
