"""A fleet, calls and a storm of one's own in place of a shipped workload's: the plan of what would be if."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulator.capacity.knobs import knob
from simulator.capacity.outcome import Value
from simulator.capacity.study import Study, StudySpec
from simulator.capacity.workload.chosen import ORDINARY, shipped
from simulator.capacity.workload.plan import Plan, plan_of
from simulator.capacity.workload.spec import WorkloadSpec
from simulator.errors import SimulatorError
from simulator.input.mistakes import mistakes_of, sentence
from simulator.input.yaml_text import YamlDocument, read_yaml_file
from simulator.smt.throttle.policy import load_policy

#: What others are held against.
TODAY = "smt-today"
NAME = "what-if"
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}


def meters_of(text: str) -> int:
    """Read ``2.8M``, ``500k`` or ``4000000``. Raises SimulatorError ``capacity.whatif.fleet``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmM]?)", text.replace(",", "").strip())
    meters = 0 if found is None else round(float(found[1]) * _TIMES[found[2].lower()])
    if not 1 <= meters <= 20_000_000:
        mend = "Write 1 to 20M, as 2.8M, 500k or 4000000."
        raise SimulatorError("capacity.whatif.fleet", f"'{text}' is no count of meters.", "--fleet", mend)
    return meters


def plan_if(meters: int, calls: Path | None, storm: float | None) -> Plan:
    """The ordinary day, its calls by the meters; ``calls``: a curve instead, of the classes that it names; ``storm``: share of the meters out from 16:00 on.

    Raises a UserError for what is wrong with the curve.
    """
    fields: dict[str, Any] = read_yaml_file(shipped()[ORDINARY]).value
    has = fields["fleet"]["tdsps"][0]["meters"]
    fields |= {
        "name": NAME,
        "title": f"An ordinary weekday of a TDSP with {meters:,} meter{'' if meters == 1 else 's'}"
        + (f", {100 * storm:g} % of them without power from 16:00 on" if storm else ""),
        "fleet": {"tdsps": [fields["fleet"]["tdsps"][0] | {"meters": meters}]},
        "calls": {
            asker: {what: of if what == "curve" else of * meters / has for what, of in counts.items()}
            for asker, counts in fields["calls"].items()
        },
    }
    if calls is not None:
        fields["curve"] = str(calls.absolute())
        fields["calls"] = {asker: of for asker, of in fields["calls"].items() if asker not in _classes_in(calls)}
    if storm is not None:
        of = read_yaml_file(shipped()["storm-5-percent"]).value["storm"]
        out = [{**one, "share": storm if one["share"] else 0.0} for one in of["out"]]
        fields["storm"] = {**of, "out": out}
    written = YamlDocument(NAME, fields)
    try:
        plan, mistakes = plan_of(written, WorkloadSpec.model_validate(fields))
    except ValidationError as error:
        raise written.error(
            mistakes_of(error, fields, WorkloadSpec, "capacity.whatif.malformed")[0], SimulatorError
        ) from None
    if plan is None:
        raise mistakes[0]
    return plan


def _classes_in(curve: Path) -> set[str]:
    """Whom a curve has calls of; what is wrong with it is told when it is read."""
    try:
        with curve.open(encoding="utf-8-sig", newline="") as file:
            return {(row.get("class") or "").strip() for row in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, csv.Error):
        return set()


def assumed_in(words: list[str]) -> dict[str, Value]:
    """Read ``workers=100`` and the like. Raises SimulatorError ``capacity.whatif.assume``."""
    found = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            found[name] = knob(name).read(value)
        except ValueError as error:
            text, _, mend = str(error).partition("; ")
            raise SimulatorError("capacity.whatif.assume", sentence(text), f"--assume {word}", sentence(mend)) from None
    return found


def study_if(plan: Plan, policies: list[str], assumed: dict[str, Value], replications: int) -> Study:
    """Policies against today's limits. Raises a UserError for one that cannot be read, or stands twice."""
    read = [load_policy(TODAY), *(load_policy(one, place="--policy") for one in policies)]
    names = [one.name for one in read]
    for name in names:
        if names.count(name) > 1:
            mend = f"Leave one out, or rename it; {TODAY} is always played."
            raise SimulatorError("capacity.whatif.twice", f"Two policies are called '{name}'.", "--policy", mend)
    spec = StudySpec(name=NAME, replications=replications, workloads=[NAME], policies=names, assumed=assumed)
    return Study(spec, [plan], read)
