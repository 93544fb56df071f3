"""A scenario file as the scenarios that it makes: what it takes over from another (``like``), a case for each combination (``matrix``), and what lies in files of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from scenarios.errors import ScenarioError
from scenarios.file.shipped import SCENARIOS
from scenarios.file.text import MALFORMED, read
from simulator.input.mistakes import did_you_mean
from simulator.input.yaml_text import (
    CoreLoader,
    ExactLoader,
    Loc,
    Mistake,
    UnreadableFile,
    YamlDocument,
    YamlProblem,
    read_yaml_file,
)

#: Parts whose fields are taken over one by one; of others the whole.
FIELD_BY_FIELD = ("world", "account", "middle")
#: What is every file's own.
OWN = ("name", "like", "matrix", "tags")
MOST_CASES = 1_000


def cases(path: Path) -> list[YamlDocument]:
    """Read a scenario file: a document for each scenario of it, with the file's lines. Raises ScenarioError for what it names and is not there."""
    written = _whole(path, ())
    if "matrix" not in written.value:
        return [written]
    return [replace(written, value=value) for value in _of_matrix(written)]


def _whole(path: Path, below: tuple[Path, ...]) -> YamlDocument:
    """A file with what it takes over, and with what lies in other files."""
    written = read(path)
    own = dict(written.value)
    like = own.pop("like", None)
    own = {name: _inlined(written, (name,), part, path.parent) for name, part in own.items()}
    if like is not None:
        other = path.parent / f"{like}"
        try:
            other = other if other.is_file() else SCENARIOS.named(Path(f"{like}"))
        except ScenarioError as error:
            raise written.error(Mistake(error.code, ("like",), error.message, error.mend), ScenarioError) from None
        if other.resolve() in (*below, path.resolve()):
            wrong = Mistake(MALFORMED, ("like",), f"{like} is like this one.", "Take over from a file that is whole.")
            raise written.error(wrong, ScenarioError)
        base = {name: part for name, part in _whole(other, (*below, path.resolve())).value.items() if name not in OWN}
        own = base | {name: _over(name, base.get(name), part) for name, part in own.items()}
    return replace(written, value=own)


def _over(name: str, base: Any, part: Any) -> Any:
    return (
        {**base, **part} if name in FIELD_BY_FIELD and isinstance(base, Mapping) and isinstance(part, Mapping) else part
    )


#: What may be the path of a YAML file, by place; and the field of that file that is meant, if it is not the whole.
_BY_PATH: tuple[tuple[Loc, str], ...] = (
    (("policy",), ""),
    (("account", "plan"), ""),
    (("world", "faults"), "faults"),
)


def _inlined(written: YamlDocument, loc: Loc, part: Any, folder: Path) -> Any:
    """A part of a scenario in which what lies in a file of its own is written out, so that the recording has it."""
    if loc == ("accounts",) and isinstance(part, list):
        return [_inlined(written, ("account",), one, folder) for one in part]
    if loc == ("timeline",) and isinstance(part, list):
        return [
            one | {"workload": _workload(written, (*loc, at, "workload"), one["workload"], folder)}
            if isinstance(one, dict) and "workload" in one
            else one
            for at, one in enumerate(part)
        ]
    for place, field in _BY_PATH:
        if loc == place and isinstance(part, str) and part.endswith((".yaml", ".yml")):
            return _file(written, loc, folder / part, field)
        if place[: len(loc)] == loc and len(place) > len(loc) and isinstance(part, Mapping) and place[-1] in part:
            part = {**part, place[-1]: _inlined(written, place, part[place[-1]], folder)}
    return part


def _workload(written: YamlDocument, loc: Loc, part: Any, folder: Path) -> Any:
    """A load's workload: what lies in YAML is written out, other files are named from where one is who plays it."""
    if isinstance(part, str) and part.endswith((".yaml", ".yml")):
        return _workload(written, loc, _file(written, loc, folder / part, ""), (folder / part).parent)
    if isinstance(part, str):
        return str(folder / part) if part.endswith((".csv", ".parquet")) else part
    if isinstance(part, Mapping):
        return {
            name: str(folder / one)
            if name in ("requests", "curve") and isinstance(one, str)
            else _workload(written, loc, one, folder)
            if name == "storm"
            else one
            for name, one in part.items()
        }
    return part


def _file(written: YamlDocument, loc: Loc, path: Path, field: str) -> Any:
    try:
        # A price is not rounded on the way.
        value = read_yaml_file(path, ExactLoader if loc[-1] == "plan" else CoreLoader).value
    except UnreadableFile as error:
        wrong = Mistake(
            "scenario.file",
            loc,
            f"{path} cannot be read: {error.problem}.",
            "Mend the path; it begins where the scenario lies.",
        )
    except YamlProblem as error:
        wrong = Mistake("scenario.file", loc, f"{error.place}: {error.problem}.", "Mend the line.")
    else:
        if field and isinstance(value, Mapping) and set(value) == {field}:
            return value[field]
        return {"name": path.stem, **value} if loc[-1] == "plan" and isinstance(value, Mapping) else value
    raise written.error(wrong, ScenarioError)


def _of_matrix(written: YamlDocument) -> Iterator[dict[str, Any]]:
    """One scenario for each combination of the axes' values, with a name of its own."""
    whole = dict(written.value)
    matrix, name = whole.pop("matrix"), whole.get("name")

    def wrong(text: str, mend: str, *loc: str | int) -> ScenarioError:
        return written.error(Mistake("scenario.matrix", ("matrix", *loc), text, mend), ScenarioError)  # type: ignore[return-value]

    axes = matrix.items() if isinstance(matrix, Mapping) else [(None, None)]
    if not all(isinstance(axis, str) and isinstance(one, list) and one for axis, one in axes):
        raise wrong("A matrix has a list of values for each field.", "Write it as {policy: [fr-cr016-1, smt-today]}.")
    combinations = list(product(*(enumerate(values, 1) for values in matrix.values())))
    if len(combinations) > MOST_CASES:
        raise wrong(f"It makes {len(combinations):,} cases: at most {MOST_CASES:,} are played.", "Leave values out.")
    names: set[str] = set()
    for at, values in enumerate(combinations, 1):
        case = deepcopy(whole)
        words = []
        for axis, (number, value) in zip(matrix, values, strict=True):
            # An axis that is no field goes through sets of fields, which change together.
            together = isinstance(value, Mapping) and axis.split(".")[0] not in _fields()
            fields = {f"{path}": one for path, one in value.items() if path != "name"} if together else {axis: value}
            for path, one in fields.items():
                if not _put(
                    case, path.split("."), _inlined(written, tuple(path.split(".")), one, Path(written.place).parent)
                ):
                    raise wrong(f"There is no field {path}.", _mend(case, path), axis)
            words.append(_word(value.get("name", number) if together else value, number))
        its = f"{name}-{'-'.join(words)}"
        its = its if len(its) <= 64 and its not in names else f"{name}-{at}"
        names.add(its)
        yield case | {"name": its}


def _word(value: Any, number: int) -> str:
    """A value in a name."""
    return (
        str(number) if isinstance(value, (Mapping, list)) else re.sub(r"[^a-z0-9]+", "-", str(value).lower()).strip("-")
    ) or str(number)


def _put(at: Any, way: list[str], value: Any) -> bool:
    """Put a value where a way of fields, refs and ids leads. Gives whether it leads anywhere."""
    first, *rest = way
    if isinstance(at, list):
        found = [
            place
            for place, one in enumerate(at)
            if isinstance(one, Mapping) and first in (one.get("ref"), one.get("account_id"))
        ]
        if not found:
            return False
        if rest:
            return _put(at[found[0]], rest, value)
        at[found[0]] = value
        return True
    if not isinstance(at, dict):
        return False
    if rest:
        return _put(at.setdefault(first, {}), rest, value)
    at[first] = value
    return True


def _fields() -> set[str]:
    """Fields of a scenario."""
    # Whoever reads what needs no field's name needs no models either, which take seconds to load.
    from scenarios.parts.setting import Setting

    return {*Setting.model_fields, "expect"}


def _mend(case: Mapping[str, Any], path: str) -> str:
    refs = [f"timeline.{one.get('ref')}" for one in case.get("timeline") or () if isinstance(one, Mapping)]
    return did_you_mean(".".join(path.split(".")[:2]), [*sorted(_fields() - {"expect"}), *refs])
