"""The shipped scenario with few days and few meters, so that a run on real parts takes about two seconds; and its other ending."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml

from scenarios.file.schema import Scenario
from scenarios.file.shipped import SCENARIOS
from scenarios.judging.facts import Facts
from scenarios.recording import Recording, parse
from scenarios.records.values import Record
from scenarios.run import JudgedRun, run_and_judge

R = TypeVar("R", bound=Record)
BALANCE = SCENARIOS.files()["customer-balance-inquiry"]
#: Decisions that nothing of it bears on.
UNCITED = ("AMB-1", "AMB-2", "AMB-3", "AMB-4", "AMB-7", "AMB-8", "AMB-9", "AMB-11")


def short_balance() -> dict[str, Any]:
    """The demo's timeline on five meters, three posted days before the call."""
    written: dict[str, Any] = yaml.load(BALANCE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    written["name"] = "short-balance"
    written["world"] |= {
        "meters": 5,
        "first_day": "2026-08-09",
        "premises": [],
        "faults": [{"kind": "gap", "meter": 1, "first": "2026-08-10T14:00", "until": "2026-08-10T15:30"}],
    }
    written["account"] |= {"cycle_first": "2026-08-09", "cycle_last": "2026-08-20"}
    return written


def short_last_bill() -> dict[str, Any]:
    """The caller asks about the last bill: S2 decides that no more is needed, and the call ends well without an on-demand read."""
    written = short_balance()
    written["name"] = "short-last-bill"
    written["world"]["first_day"] = "2026-08-11"
    first = written["timeline"][0]
    written["timeline"] = [first | {"question": "last_bill", "expect": {"outcome": "not_needed"}, "verifies": ["S2"]}]
    return written


def written(path: Path, content: dict[str, Any]) -> Path:
    """A scenario as a file."""
    # Dates and times as text: the schema reads both.
    path.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper), encoding="utf-8")
    return path


def scenario(written: dict[str, Any]) -> Scenario:
    """Check a written scenario."""
    return Scenario.model_validate(written)


def run(written: dict[str, Any], out: Path) -> JudgedRun:
    """Check, run and judge a written scenario."""
    return run_and_judge(scenario(written), out)


#: Recordings of which many tests change something, as text: to write one takes longer than to judge it.
_TEXTS: deque[tuple[Recording, str]] = deque(maxlen=4)


def _text(recording: Recording) -> str:
    text = next((text for one, text in _TEXTS if one is recording), "")
    if not text:
        text = recording.dumps()
        _TEXTS.append((recording, text))
    return text


def mutated(recording: Recording, mutation: Callable[[dict[str, Any]], object]) -> Recording:
    """A recording in whose JSON something is otherwise."""
    written = json.loads(_text(recording))
    mutation(written)
    return parse(written)


def action(run: JudgedRun, record: type[R], ref: str) -> R:
    """What became of an action of a run."""
    found = Facts(run.recording).action(record, ref)
    assert found is not None
    return found
