"""A workload by name or file, made ready: a shipped one, a YAML file, or a CSV or Parquet file alone; everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from meters.calendar import day_of, micros, to_s
from meters.errors import UserError
from simulator.capacity.workload.own import OwnRequests
from simulator.capacity.workload.plan import Plan, fleet_of, own_requests, plan_of
from simulator.capacity.workload.spec import WorkloadSpec
from simulator.errors import SimulatorError
from simulator.input.mistakes import did_you_mean, mistakes_of, sentence
from simulator.input.yaml_text import UnreadableFile, YamlDocument, YamlProblem, read_yaml_file

#: Whose day and fleet a file of calls alone is played at.
ORDINARY = "ordinary-day"
#: More days than these are no one workload.
MOST_DAYS = 31


def shipped() -> dict[str, Path]:
    """The shipped workloads by name."""
    return {path.stem: path for path in sorted(Path(__file__).with_name("shipped").glob("*.yaml"))}


def chosen_workload(named: str) -> Plan:
    """A shipped workload, or the one in a file, ready to be drawn. Raises a UserError with file and line of the first mistake."""
    plan, mistakes = read_workload(named)
    if plan is None:
        raise mistakes[0]
    return plan


def read_workload(named: str) -> tuple[Plan | None, list[UserError]]:
    """A workload ready to be drawn, or everything that is wrong with its file, each with its line."""
    path = shipped().get(named, Path(named))
    if path.suffix.lower() in (".csv", ".parquet"):
        return _alone(path)
    try:
        written = read_yaml_file(path)
    except YamlProblem as problem:
        unreadable = isinstance(problem, UnreadableFile)
        mend = f"Name a file of your own, or a shipped workload. {did_you_mean(named, shipped())}"
        text = sentence(problem.problem)
        return None, [_error("unreadable", text, problem.place, mend if unreadable else "Mend that line.")]
    return _checked(written)


def _error(code: str, message: str, place: str, mend: str) -> SimulatorError:
    return SimulatorError(f"capacity.workload.{code}", message, place, mend)


def _checked(written: YamlDocument, own: OwnRequests | None = None) -> tuple[Plan | None, list[UserError]]:
    if not isinstance(written.value, dict):
        return None, [
            _error("malformed", "A workload is a mapping of fields.", written.place, "Look at a shipped one.")
        ]
    try:
        spec = WorkloadSpec.model_validate(written.value)
    except ValidationError as error:
        found = mistakes_of(error, written.value, WorkloadSpec, "capacity.workload.malformed")
        return None, [written.error(mistake, SimulatorError) for mistake in found]
    return plan_of(written, spec, own)


def _alone(path: Path) -> tuple[Plan | None, list[UserError]]:
    """A file of requests, or of calls by the hour, at the fleet of the ordinary day; a curve without days, on that day."""
    ordinary = read_yaml_file(shipped()[ORDINARY]).value
    fields: dict[str, Any] = {"name": _name(path), "day": ordinary["day"], "fleet": ordinary["fleet"]}
    try:
        if path.suffix.lower() == ".csv" and "calls" in _header(path):
            days = sorted(_days_in(path))
            fields |= {"curve": path.name} | (_span(days[0], days[-1]) if days else {})
            return _checked(YamlDocument(str(path), fields))
        spec = WorkloadSpec.model_validate(fields)
        own, mistakes = own_requests(path, fleet_of(spec), None)
    except SimulatorError as error:
        return None, [error]
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        return None, [_error("unreadable", f"The file cannot be read: {why}.", str(path), "Name a file that is there.")]
    if own is None:
        return None, list(mistakes)
    if not len(own.requests):
        return None, [_error("requests", "The file has no request.", str(path), "Add rows.")]
    first, last = (day_of(to_s(micros(at))) for at in own.requests.planned_us[[0, -1]].tolist())
    return _checked(YamlDocument(str(path), fields | _span(first, last)), own)


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig") as file:
        return [name.strip() for name in file.readline().split(",")]


def _days_in(path: Path) -> Iterator[date]:
    """The days of a curve that are days; what is none is told when it is read."""
    header = _header(path)
    if "day" not in header:
        return
    with path.open(encoding="utf-8-sig") as file:
        for line in file.readlines()[1:]:
            cells = line.split(",")
            try:
                yield date.fromisoformat(cells[header.index("day")].strip())
            except (ValueError, IndexError):
                continue


def _span(first: date, last: date) -> dict[str, Any]:
    return {"day": str(first), "days": min((last - first).days + 1, MOST_DAYS + 1)}


def _name(path: Path) -> str:
    name = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in path.stem)
    return name[:60] or "own"
