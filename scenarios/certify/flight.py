"""Two systems at once, a retailer's and a TDSP's, our market between: the script of what is played, each one's verdict, and which of them a fault is of.

A fault has one author. What the TDSP's system answers is held against what the meters hold, the retailer against what it was served, so a wrong
answer is the TDSP's, and the bill on it no fault of the retailer's. What could not be seen of one because the other failed is skipped, naming that.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from meters.calendar import Seconds, seconds, to_s
from scenarios.actions.outside.customer_calls import RecordedCustomerCall
from scenarios.actions.outside.inquire import RecordedInquiry
from scenarios.certify.judged import FORMAT, result_of
from scenarios.certify.observed import MOST, Observed, Step
from scenarios.certify.statement import NAMED, Statement
from scenarios.errors import ScenarioError
from scenarios.file.schema import Scenario
from scenarios.parts.setting import Act
from scenarios.rules.certified import held
from simulator.tap.chain import Exchange
from simulator.verdicts import Mark

#: Who a role is in the script.
PARTY = {"ror": "REP", "headend": "TDSP"}
#: What is done with no exchange of a line is not seen on a wire of ours, or was not needed.
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the script's table. ``ids``: what it shows; ``*`` for all of its sender's that no other line of the action does."""

    do: str
    sender: str
    receiver: str
    wire: str
    path: str
    expected: str
    ids: str

    def of(self, exchange: Exchange) -> bool:
        """Whether an exchange is of it."""
        path = str(exchange.ask.get("path", "")).rstrip("/") + "/"
        return exchange.wire == self.wire and path.startswith(self.path)


@cache
def lines(do: str) -> tuple[Line, ...]:
    """Those of an action, in their order; none of one that no flight plays."""
    text = Path(__file__).with_name("script.csv").read_text("utf-8").splitlines()
    return tuple(one for row in csv.DictReader(text) if (one := Line(**row)).do == do)


def line_of(ident: str, do: str) -> Line:
    """The line of an action that shows an id. Raises StopIteration for an action without one."""
    party = PARTY[held()[ident].role]
    own = (one for one in lines(do) if ident in one.ids.split())
    return next(own, None) or next(one for one in lines(do) if one.ids == "*" and one.sender == party)


def pair(said: Sequence[Statement]) -> None:
    """Refuse two statements that are none of a flight. Raises ScenarioError ``certify.flight``."""
    mend = "Give the statement of a retailer (role: ror) and that of a head-end (role: headend), once each."
    if sorted(one.role for one in said) != sorted(PARTY):
        text = (
            f"A flight is of a retailer and a head-end, and these are {' and '.join(NAMED[one.role] for one in said)}."
        )
        raise ScenarioError("certify.flight", text, "--statement", mend)
    if any(one.serves != "ours" for one in said):
        text = "In a flight the customer is behind a meter of ours, and this head-end serves others."
        raise ScenarioError("certify.flight", text, "serves", "Write 'serves: ours'.")


def plan_rows(name: str, scenario: Scenario) -> Iterator[dict[str, Any]]:
    """The script of a step before it is played."""
    for action in scenario.timeline:
        for number, line in enumerate(lines(action.do), 1):
            expected = line.expected.format(**action.model_dump()).replace("_", " ")
            row = {"script": name, "track": action.ref, "step": number, "sender": line.sender}
            yield row | {"receiver": line.receiver, "expected": expected, "seen": ""}


def result_of_flight(said: Mapping[str, Statement], all_of_it: Observed) -> dict[str, Any]:
    """The verdict on two systems: a pure function of both statements, the recording and the table.

    certificate: each has its own. faults: every failed id with whose it is, and the exchanges that contradict it.
    """
    parties = {role: result_of(one, all_of_it) for role, one in said.items()}
    faults = [
        {"party": role, "id": one["id"], "conformance": one["conformance"], **failure}
        for role, result in parties.items()
        for one in result["ids"]
        for failure in one["failures"]
    ]
    for role, result in parties.items():
        _name_the_other(result, [one for one in faults if one["party"] != role], said, all_of_it)
    marks = [Mark(one["mark"]) for one in parties.values()]
    mark = next(one for one in (Mark.FAILED, Mark.INCONCLUSIVE, Mark.SKIPPED, Mark.PASSED) if one in marks)
    guilty = [role for role in said if any(one["party"] == role for one in faults)]
    return {
        "format": FORMAT,
        "flight": True,
        "certificate": all(one["certificate"] for one in parties.values()),
        "mark": mark.value,
        "why": " ".join(f"{said[role].name}: {result['why']}" for role, result in parties.items()),
        "guilty": guilty,
        "faults": faults,
        "connection": all_of_it.plan["connection"],
        "script": [row for step in all_of_it.steps for row in _rows(step, faults)],
        "parties": parties,
    }


def _name_the_other(
    result: dict[str, Any], of_other: Sequence[dict[str, Any]], said: Mapping[str, Statement], all_of_it: Observed
) -> None:
    """Of what was not seen of one in a step in which the other failed, say so."""
    bears = all_of_it.plan["bears"]
    for one in result["ids"]:
        claimed = not one["claim"] or one["claim"] in result["claims"]
        if one["mark"] != Mark.SKIPPED or not claimed:
            continue
        fault = next((fault for fault in of_other if one["id"] in bears.get(fault["step"], ())), None)
        if fault is not None:
            cited = f" ({fault['exchanges'][0]})" if fault["exchanges"] else ""
            one["said"] = f"What must come before it did not: {said[fault['party']].name} fails {fault['id']}{cited}."


def _rows(step: Step, faults: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The script of a step with what was seen."""
    if step.recording is None:
        row = {"script": step.name, "track": "", "step": 0, "sender": "", "receiver": "", "expected": step.title}
        yield row | {"seen": step.why, "mark": "", "exchanges": []}
        return
    rows, found = plan_rows(step.name, step.recording.scenario), _came(step)
    for action in step.recording.scenario.timeline:
        came = {line: its for (ref, line), its in found.items() if ref == action.ref}
        for line in lines(action.do):
            numbers, seen = came.get(line, ([], f"{_NOTHING}."))
            if not line.wire:
                seen = _bill(step, action) if line.sender == "REP" else "asked."
            broken = [
                one
                for one in faults
                if (one["step"], one["ref"]) == (step.name, action.ref) and line_of(one["id"], action.do) is line
            ]
            mark = Mark.FAILED.value if broken else ""
            seen += "".join(f" {PARTY[one['party']]} fails {one['id']}: {one['said']}" for one in broken)
            yield next(rows) | {
                "seen": seen,
                "mark": mark,
                "exchanges": [f"{step.name}:{number}" for number in numbers],
            }


def _came(step: Step) -> dict[tuple[str, Line], tuple[list[int], str]]:
    """By action and line that something came of: the numbers of its first exchanges, and how many there were."""
    found: dict[tuple[str, Line], tuple[list[int], int, str]] = {}
    for action, exchange in _exchanges(step):
        line = next((one for one in lines(action.do) if one.of(exchange)), None)
        if line is not None:
            numbers, count, _ = found.get((action.ref, line), ([], 0, ""))
            numbers = [*numbers, exchange.n] if count < MOST else numbers
            found[action.ref, line] = (numbers, count + 1, exchange.came)
    return {
        key: (numbers, f"{count} exchange{'s' * (count > 1)}, the last: {last}.")
        for key, (numbers, count, last) in found.items()
    }


def _exchanges(step: Step) -> Iterator[tuple[Act, Exchange]]:
    """Each with its action: of a customer's call all that there were until it was over."""
    assert step.recording is not None
    spans: list[tuple[Seconds, Seconds, Act]] = []
    for action in step.recording.scenario.timeline:
        record = step.recording.actions.get(action.ref)
        if isinstance(record, RecordedCustomerCall):
            spans.append((record.at, record.ended_at, action))
        elif isinstance(record, RecordedInquiry) and step.traffic is not None:
            # One that comes again has the words of the first: it is told by when it came.
            others = [one.at for one in step.recording.actions.values() if isinstance(one, RecordedInquiry)]
            until = min((at for at in others if at > record.at), default=seconds(1 << 40))
            for one in step.traffic.actions.get(getattr(action, "again", None) or action.ref, []):
                if record.at <= to_s(one.at_us) < until:
                    yield action, one
    for one in step.wire if spans else ():
        at = to_s(one.at_us)
        for first, last, action in spans:
            if first <= at <= last:
                yield action, one


def _bill(step: Step, action: Act) -> str:
    assert step.recording is not None
    bill = getattr(step.recording.actions.get(action.ref), "bill", None)
    return f"${bill.get('total_usd')} to {bill.get('to')}." if bill else f"{_NOTHING}."
