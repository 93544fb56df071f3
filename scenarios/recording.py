"""A recording: what a scenario's run left behind, as JSON. Nothing in it differs between two runs; an old one can be judged again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from meters.errors import MeterError
from scenarios.errors import ScenarioError
from scenarios.recorded import MALFORMED, RecordedRun, damage
from scenarios.schema import Scenario
from simulator.input.mistakes import mistakes_of
from simulator.input.yaml_text import Mistake, Written

#: Raised when a reader of an older recording could misread a newer one.
FORMAT = 1
MEND = "Give the recording.json that a run of this version wrote."


@dataclass(frozen=True, slots=True)
class Recording:
    """The run of one scenario. Everything is a JSON value; instants ISO 8601 in Central time unless in ``journal`` (epoch seconds)."""

    scenario: dict[str, Any]
    #: ESI ID of the account, meters, faults as the ledger has them.
    world: dict[str, Any]
    policy: dict[str, Any]
    #: What became of each action of the timeline, by its ref.
    actions: dict[str, dict[str, Any]]
    #: SMT's ledger of on-demand requests: key, call reference, history of states, meter reads.
    ledger: list[dict[str, Any]]
    #: What each party noted, in order.
    journal: list[dict[str, Any]]
    #: Usage of the account's cycle for the charts: ends, wh, quality, as known at the first call and after the last posting.
    usage: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    def dumps(self) -> str:
        """The recording as text, the same twice."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        part = path.with_name(path.name + ".part")
        part.write_text(self.dumps(), encoding="utf-8")
        part.replace(path)


def load(path: Path) -> Recording:
    """Read a recording. Raises ScenarioError naming the file, and the key that is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(
            "recording.unreadable", f"The recording cannot be read: {error.strerror}.", str(path), MEND
        ) from None
    except (ValueError, RecursionError):
        raise ScenarioError(MALFORMED, "This is not JSON.", str(path), MEND) from None
    if not isinstance(content, dict) or not RecordedRun.field_names() & set(content) - {"format", "scenario", "policy"}:
        what = "a result" if isinstance(content, dict) and "steps" in content else "something else"
        raise ScenarioError(MALFORMED, f"This is {what}, not a recording.", str(path), MEND)
    if content.get("format") != FORMAT:
        raise ScenarioError("recording.format", f"This is no recording of format {FORMAT}.", str(path), MEND)
    written = Written(str(path), content)
    for one in _damaged(content):
        raise ScenarioError(one.code, one.message, written.where(one.loc), MEND)
    return Recording(**{key: content[key] for key in RecordedRun.field_names()})


def _damaged(content: dict[str, Any]) -> Iterator[Mistake]:
    try:
        Scenario.model_validate(content.get("scenario"))
    except ValidationError as error:
        found = mistakes_of(error, content.get("scenario"), Scenario, MALFORMED)
        yield from (one.under(("scenario",)) for one in found)
        return
    yield from damage(content)


@contextmanager
def reading(place: str) -> Iterator[None]:
    """Tell what a damaged recording raises where it is read as one plain ScenarioError. place: the file, as far as it is known."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, ArithmeticError, MeterError) as error:
        named = isinstance(error, KeyError) and error.args and isinstance(error.args[0], str)
        what = f": the key '{error.args[0]}'" if named else ""
        text = f"It lacks what every run writes{what}, or has it in another form."
        raise ScenarioError(MALFORMED, text, place, MEND) from None
