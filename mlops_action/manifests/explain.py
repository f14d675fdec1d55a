"""A manifest in prose that needs no engineer, with a section that fits into a model card."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_action.canonical import Json
from mlops_action.formats.cyclonedx import is_model
from mlops_action.formats.markdown_text import escaped
from mlops_action.formats.recorded import elsewhere_of, inputs_of, many_data, outputs_of, part, steps_of

MOST = 12
_OUTCOMES = {
    "pass": "Every rule that the project set for the model was met.",
    "warn": "No rule was broken that would stop the model, but there are warnings.",
    "fail": "At least one rule was not met, so the model was not accepted.",
    "inconclusive": "Nobody can tell whether the model is good enough, for something could not be measured. "
    "It was not accepted.",
}


def explanation(manifest: Json) -> str:
    """The prose, as Markdown."""
    sections = (_summary, _made_of, _came_out, _energy, _judged, _rebuild, _gaps, _model_card)
    return "\n".join(line for section in sections for line in section(manifest)).strip() + "\n"


def _summary(manifest: Json) -> Iterator[str]:
    observation = part(manifest, "observation")
    steps = steps_of(manifest)
    well = sum(step.get("status") == "ok" for step in steps)
    yield "# What happened in this run"
    yield ""
    yield (
        f"{_day(observation)} a computer worked through "
        f"{_counted(len(steps), 'step')}; {_ended(well, len(steps))}. "
        f"The run has the name `{manifest['manifest-id']}`. The name is made from everything that went into the run: "
        "another run has the same name only if it had the same code, data, settings and programs."
    )
    yield ""


def _day(observation: Json) -> str:
    if observation.get("times-from"):  # the times tell which source it was, not when it ran
        return "On a day that was left out of the record on purpose"
    return f"On {str(observation.get('started', ''))[:10] or 'an unknown day'}"


def _made_of(manifest: Json) -> Iterator[str]:
    yield "## What went in"
    yield ""
    yield _code(manifest)
    files, far = inputs_of(manifest), elsewhere_of(manifest)
    many = many_data(manifest)
    size = sum(each.size or 0 for each in files) + many.get("size", 0)
    yield f"- **Data**: {_counted(len(files) + many.get('files', 0), 'file')}, {size} bytes together" + (
        ":" if files else "."
    )
    yield from _listed([f"`{escaped(each.path)}`" for each in files])
    if far:
        yield f"- **Data from elsewhere**: {_counted(len(far), 'file')}:"
        yield from _listed([f"`{escaped(each.name)}`" for each in far])
    yield from _settings(manifest)
    for each in part(manifest, "identity", "python") or ():
        count = _counted(len(each.get("distributions", ())), "package")
        yield f"- **Programs**: Python {escaped(str(each.get('version', '')))} with {count}."
    for each in part(manifest, "identity", "r") or ():
        count = _counted(len(each.get("packages", ())), "package")
        yield f"- **Programs**: R {escaped(str(each.get('version', '')))} with {count}."
    platform = part(manifest, "observation", "platform")
    if platform:
        parts = (str(platform.get("cpu") or "an unknown processor"), str(platform.get("os") or "an unknown system"))
        yield f"- **Machine**: {escaped(', '.join(parts))}."
    yield ""


def _code(manifest: Json) -> str:
    source, locator = part(manifest, "observation", "source"), part(manifest, "locator", "source")
    if not locator.get("commit"):
        return "- **Code**: it is not known which version."
    where = f" of {escaped(str(locator['remote']))}" if locator.get("remote") else ""
    count = _counted(source.get("changed-count", 0), "file")
    dirty = f", with {count} changed and not yet saved in the history" if source.get("dirty") else ""
    return f"- **Code**: the version `{locator['commit']}`{where}{dirty}."


def _settings(manifest: Json) -> Iterator[str]:
    for step in part(manifest, "identity", "steps") or ():
        pairs = sorted(step.get("parameters", {}).items())
        if pairs:
            values = ", ".join(f"{escaped(name)} = {escaped(str(value))}" for name, value in pairs)
            yield f"- **Settings of {escaped(step['name'])}**: {values}."


def _energy(manifest: Json) -> Iterator[str]:
    energy = part(manifest, "observation", "energy")
    if energy.get("kwh") is not None:
        wh = float(energy["kwh"]) * 1000
        yield f"The machine used about {wh:.3g} Wh meanwhile ({escaped(str(energy.get('method')))})."
        yield ""


def _came_out(manifest: Json) -> Iterator[str]:
    files = outputs_of(manifest)
    yield "## What came out"
    yield ""
    yield f"{_counted(len(files), 'file')} written" + (":" if files else ".")
    yield from _listed([f"`{escaped(each.path)}`" for each in files])
    for reading in (part(manifest, "results", "metrics") or ())[:50]:
        where = f" for {escaped(reading['slice'])}" if reading.get("slice") else ""
        yield f"- {escaped(reading['name'])}{where}: **{escaped(str(reading['value']))}**"
    yield ""


def _judged(manifest: Json) -> Iterator[str]:
    verdicts = part(manifest, "results", "verdicts")
    yield "## Was it good enough?"
    yield ""
    if not verdicts:
        yield "Nobody judged the result in this run."
    else:
        yield _OUTCOMES.get(str(verdicts.get("outcome")), "")
        yield ""
        for each in verdicts.get("verdicts", ()):
            yield f"- {escaped(each['gate'])} — {escaped(str(each['outcome']))}: {escaped(each['message'])}"
            for use in each.get("waivers", ()):
                waiver = use["waiver"]
                said = f"allowed by {waiver['approver']} until {waiver['expires']}: {waiver['reason']}"
                yield f"  - {escaped('; '.join([said, *use['flags']]))}"
    yield ""


def _rebuild(manifest: Json) -> Iterator[str]:
    yield "## Can it be done again?"
    yield ""
    locator = part(manifest, "locator", "source")
    if not locator.get("commit"):
        yield "Not from this record alone: the version of the code is not known."
    elif part(manifest, "observation", "source").get("dirty") and not locator.get("patch"):
        yield "Not from this record alone: some of the code was never saved in the history, and no copy of it was kept."
    else:
        yield (
            "The code can be fetched again. `mlops-action manifest reproduce` tries the whole run and says how far "
            "it came."
        )
        if not locator.get("remote"):
            yield "The record does not say from where: name a repository that has this version with `--source`."
    yield ""


def _gaps(manifest: Json) -> Iterator[str]:
    gaps = part(manifest, "completeness") or ()
    yield "## What this record does not know"
    yield ""
    if not gaps:
        yield "Nothing is missing that it looks for."
    for gap in gaps:
        yield f"- {escaped(gap['what'])}: {escaped(gap['why'])}"
    yield ""


def _model_card(manifest: Json) -> Iterator[str]:
    """A section to paste into a model card; what only people know is left to them, visibly."""
    yield "## For the model card"
    yield ""
    outputs = outputs_of(manifest)
    chosen = [each for each in outputs if is_model(each.path)] or outputs
    models = [f"`{escaped(each.path)}` (SHA-256 `{each.sha256}`)" for each in chosen[:MOST]]
    names = [each.path for each in inputs_of(manifest)] + [each.name for each in elsewhere_of(manifest)]
    data = [f"`{escaped(name)}`" for name in names[:MOST]] + (["and more"] if len(names) > MOST else [])
    readings = part(manifest, "results", "metrics") or ()
    measured = [escaped(f"{each['name']} {each['value']}") for each in readings[:MOST]]
    yield f"- **Files of the model**: {', '.join(models) or 'none'}"
    yield f"- **Training code**: `{part(manifest, 'locator', 'source').get('commit', 'unknown')}`"
    yield f"- **Data**: {', '.join(data) or 'no data file was declared'}"
    yield f"- **Evaluation**: {', '.join(measured) or 'nothing was measured'}"
    yield f"- **Record**: `{manifest['manifest-id']}`"
    yield "- **Intended use, limitations, ethical considerations**: to be written by those who answer for the model."
    yield ""


def _listed(lines: list[str]) -> Iterator[str]:
    yield from (f"  - {line}" for line in lines[:MOST])
    if len(lines) > MOST:
        yield f"  - and {len(lines) - MOST} more"


def _ended(well: int, count: int) -> str:
    if well == count:
        return "it ended well" if count == 1 else "all of them ended well"
    return "it did not end well" if count == 1 else f"{well} of them ended well"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
