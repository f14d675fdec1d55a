"""What of a container needs no engine: its variables, its paths, its user, its owner."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_action.config.load import load_config
from mlops_action.config.model import EnvironmentSpec
from mlops_action.config.place_model import ContainerSpec
from mlops_action.errors import EnvironmentProblem, Problems, ToolMissing
from mlops_action.kernels.container import ContainerKernels
from mlops_action.kernels.container_config import Site, variables
from mlops_action.kernels.container_engine import Engine, reach
from mlops_action.kernels.container_image import Image
from mlops_action.kernels.container_ipykernel import borrowing, loan_for
from mlops_action.kernels.container_mounts import _OWN_FILE, Outside, further
from mlops_action.kernels.container_owner import clear, labels, reap
from mlops_action.kernels.interface import Place
from mlops_action.records import KernelChoice

pytest.importorskip("docker.errors")  # here, where sockets are still allowed: it makes classes of them

ID = "ab" * 32
CHOICE = KernelChoice("python3", "/k", "python", ("python",), env={"DATA": "${HOME}/data"})


def site(root: Path, spec: ContainerSpec | None = None, rootless: bool = False, **keys: Any) -> Site:
    engine = Engine("unix:///x", {}, rootless, remapped=False)
    used = spec or ContainerSpec(image="i")
    image = Image("sha256:1", {}, {"PATH": "/image", "LANG": "C.UTF-8"})
    return Site(EnvironmentSpec(container=used, **keys), used, root, engine, Outside(), image)


def test_variables_about_the_host_stay_there_unless_they_are_named(tmp_path: Path) -> None:
    env = {
        "PATH": "/host",
        "LANG": "de_DE",
        "LD_PRELOAD": "x",
        "TZ": "UTC",
        "CUDA_VISIBLE_DEVICES": "1",
        "JAVA_HOME": "/j",
    }
    found = variables(site(tmp_path, set={"JAVA_HOME": "/j"}), CHOICE, env, "mark")
    assert {name for name in env if name in found} == {"TZ", "JAVA_HOME"}
    assert found["DATA"] == "/mlops-action/home/data"
    assert found["MLOPS_ACTION_KERNEL"] == "mark"
    all_of_them = site(tmp_path, ContainerSpec(image="i", gpus="all"))
    assert variables(all_of_them, CHOICE, env, "mark")["CUDA_VISIBLE_DEVICES"] == "1"


def test_the_kernel_runs_as_the_owner_of_the_project_folder(tmp_path: Path) -> None:
    own = tmp_path.stat()
    assert site(tmp_path).user == (own.st_uid, own.st_gid)
    assert site(tmp_path, ContainerSpec(image="i", user="7")).user == (7, 7)
    assert site(tmp_path, ContainerSpec(image="i", user="7:8")).user == (7, 8)


def test_root_of_a_rootless_engine_is_the_user_that_runs_it(tmp_path: Path) -> None:
    assert site(tmp_path, rootless=True).user == (0, 0)
    assert site(tmp_path, rootless=True).shares_files
    assert not site(tmp_path, ContainerSpec(image="i", user="7"), rootless=True).shares_files


def test_a_user_is_given_by_number_and_not_by_name(tmp_path: Path) -> None:
    config = tmp_path / "mlops.yaml"
    config.write_text("environment:\n  container: {image: x, user: jovyan}\nsteps: {a: {code: x}}\ngates: none\n")
    with pytest.raises(Problems) as told:
        load_config(config)
    (error,) = told.value.problems
    assert "`jovyan` is no user by number" in error.message
    assert error.origin == "mlops.yaml:2:25"


def test_what_is_not_as_usual_is_recorded_but_no_path_of_this_machine(tmp_path: Path) -> None:
    spec = ContainerSpec(image="i", memory=1024, network=False, mounts={"/host/x": "/data"}, user="7")
    assert site(tmp_path, spec).settings() == {"network": False, "memory": 1024, "mounts": ["/data"]}
    assert site(tmp_path).settings() == {}


def test_a_plan_knows_the_image_and_not_yet_the_command(tmp_path: Path) -> None:
    backend = ContainerKernels(Place(EnvironmentSpec(container=ContainerSpec(image="train:1")), tmp_path, {}))
    found = backend.find("ir")
    assert (found.name, found.language, found.argv, found.place) == ("ir", "R", (), {"image": "train:1"})


def test_paths_are_translated_through_the_innermost_mount() -> None:
    mounts = (("/__w/data", "/srv/data"), ("/__w", "/home/runner/work"))
    job = Outside("ab", "", mounts)
    assert job.path(Path("/__w/project/a b")) == "/home/runner/work/project/a b"
    assert job.path(Path("/__w/data/x")) == "/srv/data/x"
    assert job.path(Path("/__w")) == "/home/runner/work"
    assert Outside().path(Path("/anywhere")) == "/anywhere"
    assert not job.sees(Path("/__work"))
    with pytest.raises(EnvironmentProblem, match="/__work is on no mount of this container") as told:
        job.path(Path("/__work"))
    assert "/__w/data, /__w" in told.value.hint


@pytest.mark.parametrize(
    ("line", "own"),
    [
        (f"1 2 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4", True),
        (f"1 2 0:5 /containers/overlay-containers/{ID}/userdata/hostname /etc/hostname rw - tmpfs", True),
        (f"1 2 0:5 / /var/lib/docker/containers/{ID}/mounts/shm rw - tmpfs", False),
    ],
    ids=["docker", "podman", "a host with containers"],
)
def test_our_own_container_is_known_by_its_host_name_file(line: str, own: bool) -> None:
    assert [match[1] for match in _OWN_FILE.finditer(line)] == ([ID] if own else [])


def test_mounts_are_read_only_unless_they_say_otherwise(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    found = further({"data": "/a", str(tmp_path): "/b:rw", "./data": "/c:ro"}, tmp_path, Outside())
    assert found == [
        (str(tmp_path / "data"), "/a", True),
        (str(tmp_path), "/b", False),
        (str(tmp_path / "data"), "/c", True),
    ]


def test_a_missing_docker_package_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(ToolMissing) as told:
        reach({})
    assert told.value.hint == '`python -m pip install "mlops-action[container]"`'


class Containers:
    """An engine that knows some containers of ours."""

    def __init__(self, *known: dict[str, str]) -> None:
        self.known = {
            str(number): {f"mlops-action.{key}": value for key, value in each.items()}
            for number, each in enumerate(known)
        }

    def containers(self, **_: object) -> list[dict[str, Any]]:
        return [{"Id": name, "Labels": said} for name, said in self.known.items()]

    def remove_container(self, name: str, **_: object) -> None:
        del self.known[name]

    def inspect_container(self, name: str) -> dict[str, Any]:
        return {"State": {"Running": name == "alive"}}


def own(**changed: str) -> dict[str, str]:
    return {name.removeprefix("mlops-action."): value for name, value in labels("m").items()} | changed


@pytest.mark.parametrize(
    ("said", "removed"),
    [
        (own(), False),
        (own(started="1"), True),
        (own(pid="999999999"), True),
        (own(boot="another"), True),
        (own(namespace="pid:[1]", pid="999999999"), False),
        (own(host="elsewhere", boot="another", pid="999999999"), False),
        (own(container="alive", pid="999999999"), False),
        (own(container="ended"), True),
    ],
    ids=[
        "ours",
        "number used again",
        "gone",
        "before a restart",
        "cannot be seen",
        "elsewhere",
        "of a job",
        "of an ended job",
    ],
)
def test_only_containers_whose_owner_is_certainly_dead_are_removed(said: dict[str, str], removed: bool) -> None:
    engine = Containers(said)
    assert reap(engine) == int(removed)
    assert len(engine.known) == int(not removed)


def test_a_label_cannot_make_us_remove_other_files(tmp_path: Path) -> None:
    folder = tmp_path / "mlops-x"
    folder.mkdir()
    for name in ("k-1", "seen", "precious"):
        (folder / name).touch()
    clear(str(folder))
    clear(str(tmp_path))
    assert [path.name for path in folder.iterdir()] == ["precious"]


def test_what_is_lent_is_ipykernel_and_what_it_needs() -> None:
    import sysconfig

    loan = loan_for({"abi": sysconfig.get_config_var("EXT_SUFFIX"), "version": "3"}, "image")
    assert {"ipykernel", "zmq", "tornado", "traitlets", "IPython"} <= set(loan.names)
    assert not {"click", "docker", "pytest", "mlops_action"} & set(loan.names)
    assert all((loan.folder / name).exists() for name in loan.names)


def test_what_is_lent_comes_after_everything_of_the_image() -> None:
    assert borrowing(["python", "-c", "x", "-f"])[2] == "import sys\nsys.path.append('/mlops-action/kernel')\nx"
    assert borrowing(["R"]) == ["R"]
