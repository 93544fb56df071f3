"""What is seen of the usage that an SMT tells, held against what was posted."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from headend.lse.writer import read_result_csv
from headend.ports import HeadEndError
from headend.vee.quality import Channel
from meters.calendar import (
    Seconds,
    day_end,
    day_start,
    ends_within,
    epoch,
    parse_us_date,
    to_s,
)
from meters.errors import MeterError
from scenarios.actions.market.ror_files import RecordedFolder, digest_of
from scenarios.actions.market.usage_read import UsageRead
from scenarios.actions.world.tdsp_file import RecordedFile
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
            esiid = its[-1].ask["esiid"][0] if its else ""
            told = (its[-1].reply if its else None) or {}
            wrong = days_wrong(told, action, looked.all_of_it.truth.get(esiid, {}))
            wrong = wrong or (_times_wrong(told, to_s(its[-1].at_us)) if its else "")
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
            wh, estimated = (its.tolist() for its in rd_parse(str(row.get("RD")), day))
        except Exception as error:
            return f"{day} cannot be read: {error}"
        ends = [int(end) for end in ends_within(day_start(day), day_end(day))]
        off = [end for end, one in zip(ends, wh, strict=False) if held.get(end, (None,))[0] != one]
        if len(wh) != len(ends) or off:
            return (
                f"{len(wh)} intervals are told of {day}, which has {len(ends)}; {len(off)} are not what the meter holds"
            )
        # Every meter of ours is read whole.
        if any(estimated):
            return f"{sum(estimated)} intervals of {day} are told as estimated, and were posted as read"
    return ""


def _times_wrong(told: dict[str, Any], now: Seconds) -> str:
    """Of which told day the time of its revision is none between its end and now."""
    for row in rows_of(told, "energyData"):
        day, at = _us_day(str(row.get("DT"))), _us_time(str(row.get("RevTS")))
        if day is not None and (at is None or not day_end(day) <= at <= now):
            return f"of {day} it is told that it was posted at {row.get('RevTS')}"
    return ""


def _us_time(text: str) -> Seconds | None:
    try:
        return epoch(f"{datetime.strptime(text, '%m/%d/%Y %H:%M:%S'):%Y-%m-%dT%H:%M:%S}")
    except (MeterError, ValueError):
        return None


def _split_wrong(looked: Looked) -> Seen:
    """Where a record in a retailer's folder holds other intervals than were posted."""
    for step, action, folder in looked.left("SMT-SPLIT", RecordedFolder):
        for one in (one for file in folder.files for one in file.loads):
            day, held = date.fromisoformat(one.day), looked.all_of_it.truth.get(one.esiid, {})
            wh = [held.get(int(end), (0,))[0] for end in ends_within(day_start(day), day_end(day))]
            if one.digest != digest_of(wh, [False] * len(wh)):
                said = f"a record of {one.esiid} on {day} in the folder holds other intervals than were posted"
                yield Observation(step.name, action.ref, False, said, step.numbers(action.ref))
                break


def _answers_wrong(looked: Looked) -> Seen:
    """Where a file of the days before, which has every meter's, is answered otherwise than by 00 for each."""
    steps = {step.name: step for step, *_ in looked.left("SMT-LSE-00", RecordedFile)}
    for step in steps.values():
        assert step.recording is not None
        meters = step.recording.scenario.world.meters
        for one in step.files:
            if one.ask.get("method") != "STOR" or one.ids:
                continue
            loaded = len(_loaded(str(one.reply.get("body", ""))))
            if loaded < meters:
                said = f"of {meters} ESI IDs of {one.ask['path']} {loaded} are said to be loaded"
                yield Observation(step.name, "posted-before", False, said, (one.n,))


def _loaded(body: str) -> set[str]:
    """The ESI IDs of which a load is said to be loaded."""
    try:
        rows = read_result_csv(body.encode())
    except (csv.Error, HeadEndError, ValueError):
        return set()
    return {row.esiid for row in rows if row.code == "00" and row.channel == str(int(Channel.LOAD))}


def _us_day(text: str) -> Any:
    try:
        return parse_us_date(text)
    except (MeterError, ValueError):
        return None


#: By id what is seen of it.
SEEN: dict[str, Callable[[Looked], Seen]] = {"SMT-VEE": _posted}
#: And what contradicts an id beside what is expected of its actions.
BESIDE: dict[str, Callable[[Looked], Seen]] = {"SMT-SPLIT": _split_wrong, "SMT-LSE-00": _answers_wrong}
