"""Every document in an output folder, checked by a validator that we did not write."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import nbformat

SCHEMAS = Path(__file__).parents[2] / "schemas"
DOCUMENTS = ("run.json", "verdicts.json", "manifest.json")
OURS = re.compile(
    r"(?:run|verdicts|manifest)\.json|(?:manifest|test-result)\.intoto\.json|manifest\.dsse\.json|source\.patch"
    r"|(?:data|subjects)\.sha256|lists/[^/]+\.sha256|patches/\d+\.patch"
    r"|report\.(?:md|html)|junit\.xml|report\.sarif|codequality\.json|metrics\.txt"
    r"|verdict\.env|gitlab-annotations\.json|(?:notebooks|sessions)(?:/[^/]+\.ipynb)?"
    r"|html(?:/[^/]+\.(?:css|html))?|html/[^/]+(?:/\d+\.(?:png|jpg|gif|svg))?"
)


def strict_json(path: Path) -> Any:
    """JSON without NaN and Infinity, which other readers refuse."""

    def refuse(word: str) -> None:
        raise ValueError(f"{path} holds {word}")

    return json.loads(path.read_bytes(), parse_constant=refuse)


def check_documents(folder: Path) -> dict[str, Any]:
    """Check whatever is in the output folder; the JSON documents are returned by name."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        assert OURS.fullmatch(name), f"{name} does not belong in the output folder"
        if name in DOCUMENTS:
            found[name] = strict_json(path)
            schema = json.loads((SCHEMAS / f"{path.stem}.schema.json").read_bytes())
            jsonschema.Draft202012Validator(schema).validate(found[name])
        elif path.suffix in {".sarif", ".json"}:
            strict_json(path)
        elif path.suffix == ".xml":
            check_junit(path)
        elif path.suffix == ".ipynb":
            nbformat.validate(nbformat.reads(path.read_text("utf-8"), as_version=4))
    return found


def check_junit(path: Path) -> None:
    """The counts are those of the cases."""
    for suite in ET.parse(path).getroot():
        assert int(suite.get("tests", "-1")) == len(suite.findall("testcase"))
        for kind in ("failure", "error", "skipped"):
            plural = {"failure": "failures", "error": "errors", "skipped": "skipped"}[kind]
            assert int(suite.get(plural, "-1")) == len(suite.findall(f"testcase/{kind}"))
