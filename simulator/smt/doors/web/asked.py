"""What an address asks: every part of it may be anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from simulator.smt.doors.both.bodies import day_asked
from simulator.web.visitors import WebProblem
from simulator.web.words import named_day

#: Characters of a value that are told again.
_TOLD = 30


def one_of(query: Mapping[str, str], name: str, words: Sequence[str]) -> str:
    """One of the words, the first where nothing is said. Raises WebProblem."""
    found = query.get(name) or words[0]
    if found not in words:
        raise WebProblem(
            400, name, f"{name} cannot be {found[:_TOLD]!r}.", f"Use one of: {', '.join(filter(None, words))}."
        )
    return found  # fmt: skip


def day_of_query(query: Mapping[str, str], name: str, otherwise: date, last: date) -> date:
    """A day, not after ``last``. Raises WebProblem, of one that has not begun too."""
    text = query.get(name)
    if not text:
        return otherwise
    try:
        day_asked(text)
        day = date.fromisoformat(text)
    except ValueError:
        raise WebProblem(400, name, f"There is no such day: {text[:_TOLD]!r}.", "Write it as 2026-08-12.") from None
    if day > last:
        raise WebProblem(400, name, f"{named_day(day)} has not begun.", f"The last day is {last.isoformat()}.")
    return day
