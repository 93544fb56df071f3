"""The timeline of a run: the clock, faults of the account's meter, postings, requests under way, actions."""

from __future__ import annotations

from typing import NamedTuple

from meters.calendar import Seconds, day_start, local, seconds, to_s
from scenarios.judging.facts import Facts
from scenarios.stamps import stamp
from simulator.web.lanes import Lane, Lanes, Span
from simulator.web.parts import Table

#: A day before the first action is shown, so that the posting it rests on is; and what the last one set going.
_BEFORE_S, _AFTER_S = 86_400, 1_200
_DAY_S = 86_400
#: Marks of days below it at most.
_MARKS = 5


class Timeline(NamedTuple):
    """It, drawn and in words."""

    drawn: Lanes
    table: Table


def timeline(facts: Facts) -> Timeline:
    """The timeline from the day before the first action to the end of the last."""
    actions = facts.scenario.timeline
    first = day_start(actions[0].at.date()) - _BEFORE_S
    last = max(facts.at(one) for one in actions) + _AFTER_S
    world = facts.recording.world
    lanes = [
        Lane("Actions", "accent", [Span(facts.at(one), facts.at(one), one.ref) for one in actions]),
        Lane(
            "Requests under way",
            "accent",
            [Span(one.submitted, to_s(one.last.at_us), one.call_reference or one.kind.value) for one in facts.recording.ledger],
        ),
        Lane(
            "Posted to SMT",
            "good",
            [
                Span(file.taken_in_at, file.taken_in_at, f"{day:%m-%d}")
                for day, files in facts.posted().items()
                for file in files
                if file.taken_in_at is not None
            ],
        ),
        Lane(
            "Faults of this meter",
            "bad",
            [
                Span(one.first_end_local, one.last_end_local, one.kind)
                for one in world.faults
                if one.esiid == facts.esiid
            ],
        ),
    ]  # fmt: skip
    midnights, noons = _marks(first, last)
    drawn = Lanes("Timeline of the run", (first, last), midnights, lanes, noons)
    rows = [
        [
            lane.name,
            one.name,
            *(stamp(seconds(int(at)), seconds=True) if at <= last else "later" for at in (one.start, one.end)),
        ]
        for lane in drawn.shown()
        for one in lane.spans
    ]
    return Timeline(drawn, Table(["Lane", "What", "From", "To"], rows))


def _marks(first: Seconds, last: Seconds) -> tuple[list[tuple[float, str]], list[tuple[float, str]]]:
    """Midnights, of a long run some, and where there is room what lies between."""
    days = -(-(last - first) // _DAY_S)
    step = _DAY_S * max(1, -(-days // _MARKS))
    found = [(at, local(seconds(at))) for at in range(first, last + 1, step // 4 if days <= _MARKS - 2 else step)]
    midnights = [(float(at), f"{when:%m-%d}") for at, when in found if when.hour == 0]
    return midnights, [(float(at), f"{when:%H:%M}") for at, when in found if when.hour]
