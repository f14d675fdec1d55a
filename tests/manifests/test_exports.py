"""Each export: a golden file, and a validator that nobody here wrote."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from acceptance.scratch import clean_env, tool
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from manifest_project import git, project, record, written
from openlineage.client import event_v2, facet_v2
from packaging.pylock import Pylock

from mlops_action.formats import EXPORTS
from mlops_action.formats.intoto import MOST_SUBJECTS, subjects
from mlops_action.formats.recorded import outputs_of
from mlops_action.manifests.lock import with_archives
from mlops_action.registry import load

HERE = Path(__file__).parent
RELEASED = sorted((HERE / "released").glob("*.json"))
LOCK = """\
version = 1
[[package]]
name = "numpy"
version = "2.3.1"
source = { registry = "https://pypi.example.org/simple" }
wheels = [{ url = "https://files.example.org/numpy-2.3.1-cp312-none-any.whl", hash = "sha256:FIVES", size = 10 }]
[[package]]
name = "Scikit_Learn"
version = "1.7.0"
sdist = { url = "https://files.example.org/scikit_learn-1.7.0.tar.gz", hash = "sha256:SIXES" }
[[package]]
name = "unrelated"
version = "1.0"
""".replace("FIVES", "5" * 64).replace("SIXES", "6" * 64)


def manifest(path: Path) -> Any:
    return json.loads(path.read_bytes())


FULL = manifest(HERE / "released" / "v1-parts.json")


def files(form: str, value: Any) -> dict[str, bytes]:
    return dict(load(EXPORTS[form])().render(value).files)


def only(form: str, value: Any) -> bytes:
    [data] = files(form, value).values()
    return data


@pytest.mark.parametrize("form", EXPORTS)
def test_the_export_is_the_golden_one(form: str, request: pytest.FixtureRequest) -> None:
    for name, data in files(form, FULL).items():
        golden = HERE / "goldens" / f"{form}-{name}"
        if request.config.getoption("--write-goldens"):
            golden.parent.mkdir(exist_ok=True)
            golden.write_bytes(data)
        assert data == golden.read_bytes()


@pytest.mark.parametrize("form", EXPORTS)
@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_the_same_manifest_gives_the_same_bytes_and_is_not_changed(form: str, path: Path) -> None:
    value = manifest(path)
    assert files(form, value) == files(form, value)
    assert value == manifest(path)


@pytest.mark.parametrize("form", ["intoto", "slsa", "test-result"])
@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_in_toto_s_bindings_accept_each_statement(form: str, path: Path) -> None:
    said = json.loads(only(form, manifest(path)))
    parsed = json_format.ParseDict(said, statement_pb2.Statement())
    Statement.copy_from_pb(parsed).validate()
    for subject in parsed.subject:
        ResourceDescriptor.copy_from_pb(subject).validate()
    predicates = {"slsa": provenance_pb2.Provenance, "test-result": test_result_pb2.TestResult}
    if form in predicates:
        assert json_format.ParseDict(said["predicate"], predicates[form]()).ByteSize()


def test_the_subjects_are_the_outputs_and_executed_notebooks_with_their_digests() -> None:
    found = {each["name"]: each["digest"]["sha256"] for each in subjects(FULL)}
    outputs = {each.path: each.sha256 for each in outputs_of(FULL)}
    assert outputs.items() <= found.items()
    assert "mlops-out/notebooks/train.ipynb" in found


def test_a_run_without_outputs_has_its_manifest_as_subject() -> None:
    value = json.loads(json.dumps(FULL))
    value["results"]["steps"] = []
    assert [each["name"] for each in subjects(value)] == ["manifest.json"]


def test_many_outputs_become_one_subject_for_each_folder() -> None:
    value = json.loads(json.dumps(FULL))
    after = [{"path": f"parts/{i}.bin", "sha256": f"{i:064x}", "size": 1} for i in range(MOST_SUBJECTS + 1)]
    value["results"]["steps"][0]["outputs-after"] = after
    [parts] = [each for each in subjects(value) if each["name"] == "parts/"]
    lines = sorted(f"{i}.bin" for i in range(MOST_SUBJECTS + 1))
    text = "".join(f"{int(name[:-4]):064x}  {name}\n" for name in lines)
    assert parts["digest"] == {"dirHash": hashlib.sha256(text.encode()).hexdigest()}


@pytest.mark.parametrize(
    ("outcome", "result"), [("pass", "PASSED"), ("warn", "WARNED"), ("fail", "FAILED"), ("inconclusive", "FAILED")]
)
def test_what_could_not_be_judged_is_no_passed_test(outcome: str, result: str) -> None:
    value = json.loads(json.dumps(FULL))
    value["results"]["verdicts"]["outcome"] = outcome
    value["results"]["verdicts"]["verdicts"][0]["outcome"] = outcome
    predicate = json.loads(only("test-result", value))["predicate"]
    assert predicate["result"] == result
    assert ("floor" in predicate["failedTests"]) is (result == "FAILED")


def test_nothing_judged_gives_no_test_result() -> None:
    value = json.loads(json.dumps(FULL))
    value["results"]["verdicts"] = None
    assert files("test-result", value) == {}


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_cyclonedx_s_strict_validator_accepts_the_bill_of_materials(path: Path) -> None:
    text = only("cyclonedx", manifest(path)).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_the_bill_of_materials_has_models_data_packages_and_a_model_card() -> None:
    bom = json.loads(only("cyclonedx", FULL))
    kinds = {each["type"] for each in bom["components"]}
    assert kinds == {"machine-learning-model", "data", "library"}
    [model] = [each for each in bom["components"] if each["type"] == "machine-learning-model"]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {"type": "accuracy", "value": "0.95"} in metrics
    assert len(model["modelCard"]["modelParameters"]["datasets"]) == 3


def pylock(tmp_path: Path) -> Any:
    (tmp_path / "uv.lock").write_text(LOCK)
    return tomllib.loads(only("pylock", with_archives(FULL, tmp_path / "uv.lock")).decode())


def test_packaging_accepts_the_lock_file(tmp_path: Path) -> None:
    lock = Pylock.from_dict(pylock(tmp_path))
    lock.validate()
    assert {package.name for package in lock.packages} == {"numpy", "scikit-learn", "own-tools"}


def test_archives_come_from_the_lock_only_for_the_recorded_version(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text(LOCK.replace("2.3.1", "2.3.2"))
    exported = load(EXPORTS["pylock"])().render(with_archives(FULL, tmp_path / "uv.lock"))
    assert [each for each in exported.missing if each.startswith("numpy 2.3.1")]
    Pylock.from_dict(tomllib.loads(exported.files[0][1].decode())).validate()


def test_a_package_without_known_archive_is_told_and_left_out() -> None:
    exported = load(EXPORTS["pylock"])().render(FULL)
    assert {each.split()[0] for each in exported.missing} == {"numpy", "scikit-learn"}


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_openlineage_s_client_takes_every_event(path: Path) -> None:
    events = [json.loads(line) for line in only("openlineage", manifest(path)).splitlines()]
    assert events
    for event in events:
        built = event_v2.RunEvent(
            eventTime=event["eventTime"],
            producer=event["producer"],
            eventType=event_v2.RunState(event["eventType"]),
            run=event_v2.Run(runId=event["run"]["runId"]),
            job=event_v2.Job(namespace=event["job"]["namespace"], name=event["job"]["name"]),
            inputs=[event_v2.InputDataset(namespace=each["namespace"], name=each["name"]) for each in event["inputs"]],
            outputs=[
                event_v2.OutputDataset(namespace=each["namespace"], name=each["name"]) for each in event["outputs"]
            ],
        )
        assert built.schemaURL == event["schemaURL"]
        for each in (*event["inputs"], *event["outputs"]):
            theirs = facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet
            version = each["facets"]["version"]
            assert theirs(version["datasetVersion"])._schemaURL.split("#")[0] == version["_schemaURL"].split("#")[0]


# --- the crate


TERMS = (
    "CreativeWork about Dataset name description datePublished license hasPart mentions version SoftwareApplication "
    "softwareVersion url CreateAction instrument startTime endTime actionStatus object result PropertyValue value "
    "SoftwareSourceCode contentSize encodingFormat identifier error"
)
CONTEXT = {term: f"http://schema.org/{term}" for term in TERMS.split()}
NOT_KNOWN = {
    "process-run-crate-0.5_5.1": "code in the crate has a path there, no address of its own",
    "process-run-crate-0.5_8.6": "who answers for a run is not known: of who started it there is only the CI's claim",
    "ro-crate-1.1_22.2": "nor is an author of its files",
    "ro-crate-1.1_22.3": "nor a publisher",
}
"""What the validator recommends and a manifest cannot tell."""
CONTEXT |= {"File": "http://schema.org/MediaObject", "conformsTo": "http://purl.org/dc/terms/conformsTo"}


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = project(tmp_path_factory.mktemp("crate") / "project")
    git(root, "remote", "add", "origin", "https://git.example.org/team/project.git")
    written(root, {"data/a b.csv": "with a space\n"})
    record(root)
    done = tool(root, ["manifest", "export", "rocrate", "--to", "../crate"], clean_env(root.parent / "home"))
    assert done.code == 0, done.text
    return root.parent / "crate"


def validated(crate: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the validator says. The terms that a crate's context maps come from a cache that is filled here."""
    from requests_cache import CachedSession
    from requests_cache.models import CachedRequest, CachedResponse

    url = "https://w3id.org/ro/crate/1.1/context"
    session = CachedSession(str(folder / "cache"), backend="sqlite")
    request = CachedRequest(method="GET", url=url, headers={})
    content = json.dumps({"@context": CONTEXT}).encode()
    headers = {"Content-Type": "application/ld+json"}
    response = CachedResponse(content=content, url=url, status_code=200, headers=headers, request=request)
    session.cache.save_response(response)
    session.close()
    command = [Path(sys.executable).parent / "rocrate-validator", "-y", "--disable-color", "validate", "--no-paging"]
    command += ["-p", "process-run-crate-0.5", "--offline", "--cache-path", folder / "cache"]
    command += ["-l", "recommended", "--skip-checks", ",".join(NOT_KNOWN), "-v", crate]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.slow
def test_the_crate_is_valid_for_the_process_run_crate_profile_with_what_it_recommends(
    crate: Path, tmp_path: Path
) -> None:
    done = validated(crate, tmp_path)
    assert done.returncode == 0, done.stdout
    assert "is a valid process-run-crate-0.5" in done.stdout


@pytest.mark.slow
def test_the_validator_would_notice_a_missing_file_of_the_crate(crate: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(crate, tmp_path / "crate"))
    (copy / "model/model.joblib").unlink()
    assert validated(copy, tmp_path).returncode != 0


def test_the_crate_holds_the_recorded_bytes(crate: Path) -> None:
    graph = json.loads((crate / "ro-crate-metadata.json").read_bytes())["@graph"]
    found = [each for each in graph if "sha256" in each]
    assert found
    for each in found:
        name = each["@id"].replace("%20", " ")
        assert hashlib.sha256((crate / name).read_bytes()).hexdigest() == each["sha256"]


def test_a_changed_file_is_not_put_into_a_crate(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    record(root)
    (root / "data/a.csv").write_text("changed")
    done = tool(root, ["manifest", "export", "rocrate"], clean_env(tmp_path / "home"))
    assert done.code == 4
    assert "not what the manifest records" in done.text


@pytest.mark.parametrize("form", EXPORTS)
def test_the_command_writes_each_form_beside_the_manifest(form: str, tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    record(root)
    done = tool(root, ["manifest", "export", form], clean_env(tmp_path / "home"))
    assert done.code == 0, done.text
    assert "Wrote " in done.text
