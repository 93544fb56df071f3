"""What the agent says, and what everything on a call's page is made of: one record of the desk, seen as a page shows it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.ror.desk.web import drawn, rests
from simulator.ror.desk.web.drawn import Pattern
from simulator.ror.desk.web.rests import Line
from simulator.ror.desk.wire import Call
from simulator.web.bills import Fan, MoneyParts, Piece, said


@dataclass(frozen=True, slots=True)
class Told:
    """What a call's page tells of what was found."""

    say: list[list[Piece]]
    owed: list[Line]
    parts: MoneyParts | None
    #: Dollars of the bill by what they rest on: word and amount.
    marked: list[tuple[str, str]]
    lines: list[Line]
    undecided: list[Line]
    notes: list[str]
    fan: Fan | None
    pattern: Pattern | None
    worth: list[Line]
    reason: str
    told_on: str
    #: What the meter has counted since the last whole quarter hour: kWh and seconds; None: not told.
    since: tuple[int, int] | None


def told_of(call: Call) -> Told | None:
    """What a record tells; None while it has nothing."""
    answer: dict[str, Any] | None = call.answer or call.at_once
    if answer is None:
        return None
    stand, parts = rests.told_stand(answer), rests.parts_of(answer)
    fan = drawn.fan_of(answer, call.course)
    places = drawn.places(fan, answer) | rests.places(answer, parts)
    served = answer["request"]["served"]
    partial = None if served is None else served["partial"]
    return Told(
        said(answer["sentences"], {text: anchor for text, anchor in places.items() if text and anchor}),
        rests.owed_of(answer),
        parts,
        rests.marked_of(answer),
        [] if stand is None else rests.lines_of(stand),
        [] if stand is None else rests.undecided_of(stand),
        [] if stand is None else stand["bill"]["notes"],
        fan,
        drawn.pattern_of(answer),
        rests.worth_of(answer),
        answer["decision"]["reason"],
        answer["told_on"],
        None if partial is None else (partial["wh"], partial["seconds"]),
    )
