"""What changed between two runs, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from mlops_action.canonical import Json
from mlops_action.formats.recorded import elsewhere_of, inputs_of, many_data, outputs_of, part, steps_of
from mlops_action.frozen import frozen

ABSENT: Json = None
_SHORT = 19
_MOST_NAMES = 8


@frozen
class Change:
    """One thing that is not the same in both manifests."""

    kind: str
    what: str
    before: Json
    after: Json
    words: str

    def json(self) -> Json:
        """For programs."""
        return {"kind": self.kind, "what": self.what, "before": self.before, "after": self.after, "words": self.words}


def differences(before: Json, after: Json) -> list[Change]:
    """All changes from ``before`` to ``after``, kind by kind; empty when the runs are alike in all that counts."""
    return [change for compare in _COMPARISONS for change in compare(before, after)]


def _code(before: Json, after: Json) -> Iterator[Change]:
    trees = [part(each, "identity", "source").get("tree") for each in (before, after)]
    if trees[0] != trees[1]:
        commits = [str(part(each, "locator", "source").get("commit", "unknown"))[:12] for each in (before, after)]
        dirty = [
            " with uncommitted changes" if part(each, "observation", "source").get("dirty") else ""
            for each in (before, after)
        ]
        words = f"the source tree changed: commit {commits[0]}{dirty[0]} became {commits[1]}{dirty[1]}"
        words += _uncommitted(before, after)
        yield Change("code", "source tree", trees[0], trees[1], words)
    inner = [
        {each["path"]: each["tree"] for each in part(side, "identity", "source").get("submodules", ())}
        for side in (before, after)
    ]
    yield from _mapped("code", "uncommitted state of submodule", inner, _digest)
    digests = [
        {step["name"]: step.get("notebook-digest", "") for step in part(each, "identity", "steps") or ()}
        for each in (before, after)
    ]
    yield from _mapped("code", "code of step", digests, _digest)


def _uncommitted(before: Json, after: Json) -> str:
    """Files whose uncommitted changes are not the same in both runs, as far as the manifests name them."""
    named = [set(part(each, "observation", "source").get("changed") or ()) for each in (before, after)]
    names = sorted(named[0] | named[1])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f" (uncommitted: {', '.join(names[:_MOST_NAMES])}{more})" if names else ""


def _parameters(before: Json, after: Json) -> Iterator[Change]:
    flat = [
        {
            f"{step['name']}.{name}": value
            for step in part(each, "identity", "steps") or ()
            for name, value in step["parameters"].items()
        }
        for each in (before, after)
    ]
    yield from _mapped("parameters", "parameter", flat)
    variables = [
        {**part(each, "identity", "environment"), **part(each, "identity", "variables")} for each in (before, after)
    ]
    yield from _mapped("environment", "variable", variables)


def _data(before: Json, after: Json) -> Iterator[Change]:
    totals = [many_data(side) for side in (before, after)]
    yield from _mapped("data", "all declared data, its", totals)
    files = [{each.path: each for each in inputs_of(side)} for side in (before, after)]
    digests = [{path: each.sha256 for path, each in side.items()} for side in files]
    why = _line_ends(before, after)
    for change in _mapped("data", "data file", digests, _digest):
        states = [side.get(change.what) for side in files]
        converted = why and None not in states and len({each.size for each in states if each}) > 1
        yield replace(change, words=f"{change.words} ({why})") if converted else change
    far = [{each.uri or each.name: each.told() for each in elsewhere_of(side)} for side in (before, after)]
    yield from _mapped("data", "data", far, _digest)


def _line_ends(before: Json, after: Json) -> str:
    """How git may have written the same files with other line ends; empty when it would not have."""
    trees = {part(each, "identity", "source").get("tree") for each in (before, after)}
    if len(trees) > 1 or trees <= {None}:
        return ""
    seen = [part(each, "observation", "source") for each in (before, after)]
    settings = [(f"core.{key}", *(side.get(key) or "not set" for side in seen)) for key in ("autocrlf", "eol")]
    said = [f"git's `{name}` was {old} and is {new}" for name, old, new in settings if old != new]
    return f"perhaps only its line ends: the source tree is the same, and {', '.join(said)}" if said else ""


def _packages(before: Json, after: Json) -> Iterator[Change]:
    sides = [_interpreters(each) for each in (before, after)]
    for name in sorted(sides[0].keys() | sides[1].keys()):
        old, new = (side.get(name) or {} for side in sides)
        yield from _mapped("packages", f"Python of kernel {name}, part", [_python(old), _python(new)])
        lists = [{each["name"]: each for each in side.get("distributions", ())} for side in (old, new)]
        for package in sorted(lists[0].keys() | lists[1].keys()):
            pair = [side.get(package) for side in lists]
            if pair[0] != pair[1]:
                yield Change("packages", package, pair[0], pair[1], _package_words(package, pair[0], pair[1]))


def _system(before: Json, after: Json) -> Iterator[Change]:
    """Packages of the operating system, of conda and of R."""
    for thing, listed in (("system package", _of_system), ("conda package", _of_conda), ("R package", _of_r)):
        yield from _mapped("packages", thing, [listed(each) for each in (before, after)])


def _of_system(manifest: Json) -> dict[str, Json]:
    lines = (str(each).rpartition(":") for each in part(manifest, "observation", "os-packages") or ())
    pairs = ((head.partition("="), arch) for head, _, arch in lines)
    return {f"{name} ({arch})": version for (name, _, version), arch in pairs}


def _of_conda(manifest: Json) -> dict[str, Json]:
    packages = [each for folder in part(manifest, "identity", "conda") or () for each in folder]
    return {each["name"]: f"{each.get('version', '')} {each.get('build', '')}".strip() for each in packages}


def _of_r(manifest: Json) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for each in part(manifest, "identity", "r") or ():
        found |= {"R itself": each.get("version", "")}
        found |= {package["name"]: _r_version(package) for package in each.get("packages", ())}
    return found


def _r_version(package: Json) -> str:
    return f"{package['version']} ({package['source']})" if package.get("source") else str(package["version"])


def _interpreters(manifest: Json) -> dict[str, Json]:
    return {", ".join(each["kernels"]): each for each in part(manifest, "identity", "python") or ()}


def _python(interpreter: Json) -> dict[str, Json]:
    return {key: interpreter[key] for key in ("implementation", "version") if key in interpreter}


def _package_words(name: str, old: Json, new: Json) -> str:
    if old is None:
        return f"package {name} {new.get('version', '')} was added"
    if new is None:
        return f"package {name} {old.get('version', '')} was removed"
    if old.get("version") != new.get("version"):
        return f"package {name} went from {old.get('version', '')} to {new.get('version', '')}"
    return f"package {name} {old.get('version', '')} is another build of the same version"


def _hardware(before: Json, after: Json) -> Iterator[Change]:
    for fact in ("platform", "machine", "image"):
        sides = [_flat({**part(each, "observation", fact), **part(each, "identity", fact)}) for each in (before, after)]
        yield from _mapped("hardware" if fact != "image" else "image", fact, sides)


def _metrics(before: Json, after: Json) -> Iterator[Change]:
    sides = [_readings(each) for each in (before, after)]
    for name in sorted(sides[0].keys() | sides[1].keys()):
        old, new = (side.get(name, ABSENT) for side in sides)
        if old != new:
            yield Change("metrics", name, old, new, _metric_words(name, old, new))


def _readings(manifest: Json) -> dict[str, Json]:
    readings = part(manifest, "results", "metrics") or ()
    return {each["name"] + (f" ({each['slice']})" if each.get("slice") else ""): each["value"] for each in readings}


def _metric_words(name: str, old: Json, new: Json) -> str:
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        verb = "rose" if new > old else "fell"
        return f"metric {name} {verb} by {abs(new - old):.6g}, from {old} to {new}"
    return _words(f"metric {name}", (old, new), str)


def _outputs(before: Json, after: Json) -> Iterator[Change]:
    files = [{each.path: each.sha256 for each in outputs_of(side)} for side in (before, after)]
    yield from _mapped("outputs", "output", files, _digest)
    shown = [{step["name"]: step.get("outputs-digest", "") for step in steps_of(side)} for side in (before, after)]
    if all(all(side.values()) for side in shown):  # older manifests do not know it
        yield from _mapped("outputs", "what the cells showed in step", shown, _digest)
    ends = [{step["name"]: step.get("status") for step in steps_of(side)} for side in (before, after)]
    yield from _mapped("outputs", "end of step", ends)


def _gates(before: Json, after: Json) -> Iterator[Change]:
    rules = [{gate["name"]: gate for gate in part(side, "identity", "gates") or ()} for side in (before, after)]
    yield from _mapped("gates", "rule of gate", rules, _rule)
    said = [
        {each["gate"]: each["outcome"] for each in part(side, "results", "verdicts").get("verdicts", ())}
        for side in (before, after)
    ]
    yield from _mapped("gates", "verdict of gate", said)


def _rule(gate: Json) -> str:
    limits = ", ".join(f"{name} {value}" for name, value in _flat(gate["limits"]).items())
    return f"{gate['rule']} of {gate['metric']} ({limits})"


def _mapped(
    kind: str, thing: str, sides: Sequence[Mapping[str, Json]], shown: Callable[[Json], str] = str
) -> Iterator[Change]:
    old, new = sides
    for name in sorted(old.keys() | new.keys()):
        pair = old.get(name, ABSENT), new.get(name, ABSENT)
        if pair[0] != pair[1]:
            yield Change(kind, name, *pair, _words(f"{thing} {name}", pair, shown))


def _words(thing: str, pair: tuple[Json, Json], shown: Callable[[Json], str]) -> str:
    old, new = pair
    if old is ABSENT:
        return f"{thing} was added: {shown(new)}"
    if new is ABSENT:
        return f"{thing} was removed; it was {shown(old)}"
    return f"{thing} changed from {shown(old)} to {shown(new)}"


def _digest(text: Json) -> str:
    plain = str(text)
    return plain[:_SHORT] if plain else "unknown"


def _flat(value: Json, prefix: str = "") -> dict[str, Json]:
    """Nested mappings as one, with dots between the names."""
    if not isinstance(value, dict):
        return {prefix: value}
    found: dict[str, Json] = {}
    for key, item in value.items():
        found |= _flat(item, f"{prefix}.{key}" if prefix else key)
    return found


_COMPARISONS = (_code, _data, _parameters, _packages, _system, _hardware, _gates, _outputs, _metrics)
