"""What is seen of the usage that an SMT tells, held against what was posted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from meters.calendar import (
    day_end,
    day_start,
    ends_within,
    parse_us_date,
)
from meters.errors import MeterError
from scenarios.actions.market.usage_read import UsageRead
from scenarios.certify.observed import Observation
from scenarios.certify.said import READS, rows_of, said_of
from scenarios.certify.smt.asked import Seen
from scenarios.certify.smt.looked import Looked
from simulator.smt.doors.both.rd import rd_parse


def _posted(looked: Looked) -> Seen:
    """What is told of posted days, held against what the meters hold."""
    for step in looked.steps:
        assert step.recording is not None
        for action in step.recording.scenario.timeline:
            if "SMT-VEE" not in action.verifies or not isinstance(action, UsageRead):
                continue
            its = [
                one
                for one in map(said_of, step.market)
                if one.path == READS and one.exchange.ids.get("trans_id") == action.ref
            ]
            esiid = step.recording.world.accounts[step.recording.scenario.account_of(action).account_id].esiid
            wrong = days_wrong((its[-1].reply if its else None) or {}, action, looked.all_of_it.truth.get(esiid, {}))
            yield Observation(step.name, action.ref, not wrong, wrong, tuple(one.exchange.n for one in its))


def days_wrong(told: dict[str, Any], action: UsageRead, held: dict[int, tuple[int, int]]) -> str:
    """What of told days is not what a meter holds, of the days of an action; empty for nothing. held: by end, Unix seconds, Wh and the register then."""
    rows = {str(row.get("DT")): row for row in rows_of(told, "energyData") if row.get("RT") == "C"}
    first, last = action.days
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        row = next((row for text, row in rows.items() if _us_day(text) == day), None)
        if row is None:
            return f"nothing is told of {day}"
        try:
            wh = rd_parse(str(row.get("RD")), day)[0].tolist()
        except Exception as error:
            return f"{day} cannot be read: {error}"
        ends = [int(end) for end in ends_within(day_start(day), day_end(day))]
        off = [end for end, one in zip(ends, wh, strict=False) if held.get(end, (None,))[0] != one]
        if len(wh) != len(ends) or off:
            return (
                f"{len(wh)} intervals are told of {day}, which has {len(ends)}; {len(off)} are not what the meter holds"
            )
    return ""


def _us_day(text: str) -> Any:
    try:
        return parse_us_date(text)
    except (MeterError, ValueError):
        return None


#: By id what is seen of it.
SEEN: dict[str, Callable[[Looked], Seen]] = {"SMT-VEE": _posted}
