"""What is seen of an SMT's portal: the usage that it tells, held against what was posted, and reads that customers ask for there, id by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from meters.calendar import INTERVAL_S, day_end, day_start, ends_within, epoch, local, us_date, us_stamp
from scenarios.actions.market.usage_read import UsageRead
from scenarios.certify.observed import Observation, Step, within
from scenarios.certify.said import DAILY, INTERVAL, LATEST, MONTHLY, SYNCH, data_of, rows_of, said_of
from scenarios.certify.smt.asked import Asked, Seen
from scenarios.certify.smt.looked import Looked
from scenarios.certify.smt.posted import days_wrong
from scenarios.evidence import Evidence
from simulator.smt.throttle.policy import PORTAL_CODES

#: The portal's code of a limit that is not the hour's.
DAILY_LIMIT = PORTAL_CODES[1]
#: By end, Unix seconds: Wh of the interval, and the register then.
Held = dict[int, tuple[int, int]]


def _usage(ident: str) -> Callable[[Looked], Seen]:
    """What the portal tells of posted days, by the call that each read is."""

    def seen(looked: Looked) -> Seen:
        for step, action in _read(looked, ident):
            assert step.recording is not None
            path, wrong = _WRONG[action.what]
            at = Evidence(step.recording, action.account).at(action)
            its = [one for one in map(said_of, within(step.portal, at, at)) if one.path == path]
            esiid = step.recording.world.accounts[step.recording.scenario.account_of(action).account_id].esiid
            said = wrong((its[-1].reply if its else None) or {}, action, looked.all_of_it.truth.get(esiid, {}))
            yield Observation(step.name, action.ref, not said, said, tuple(one.exchange.n for one in its))

    return seen


def _read(looked: Looked, ident: str) -> Iterator[tuple[Step, UsageRead]]:
    for step in looked.steps:
        assert step.recording is not None
        for action in step.recording.scenario.timeline:
            if ident in action.verifies and isinstance(action, UsageRead):
                yield step, action


def _rows_wrong(told: dict[str, Any], action: UsageRead, held: Held) -> str:
    """What intervals that are told one by one are not; each is known by its day and where it begins."""
    first, last = action.days
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        rows = [row for row in rows_of(told, "intervaldata") if row.get("date") == day.isoformat()]
        found = [(str(row.get("starttime")).strip().upper(), _wh(str(row.get("consumption")))) for row in rows]
        ends = list(ends_within(day_start(day), day_end(day)))
        right = [(f"{local(end - INTERVAL_S):%I:%M %p}", Decimal(held[int(end)][0])) for end in ends]
        if found != right:
            off = sum(one != other for one, other in zip(found, right, strict=False))
            return (
                f"{len(found)} intervals are told of {day}, which has {len(right)}; {off} are not what the meter holds"
            )
    return ""


def _daily_wrong(told: dict[str, Any], action: UsageRead, held: Held) -> str:
    rows = {str(row.get("date")): row for row in rows_of(told, "dailyData")}
    first, last = action.days
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        row, its = rows.get(us_date(day)), _day(day, held)
        if row is None:
            return f"nothing is told of {day}"
        words = [str(row.get(name)) for name in ("reading", "startreading", "endreading")]
        if [_wh(word) for word in words] != its:
            return (
                f"of {day} {', '.join(words)} kWh is told, and posted was {', '.join(f'{wh / 1000:.3f}' for wh in its)}"
            )
    return ""


def _monthly_wrong(told: dict[str, Any], action: UsageRead, held: Held) -> str:
    """What is asked for are the days of one period: its first, and that of the next."""
    (first, last), rows = action.days, rows_of(told, "monthlyData")
    wh = sum(held[int(one)][0] for one in ends_within(day_start(first), day_start(last)))
    right = {"startdate": us_date(first), "enddate": us_date(last)}
    if [{name: row.get(name) for name in right} for row in rows] != [right]:
        edges = ", ".join(f"{row.get('startdate')} to {row.get('enddate')}" for row in rows)
        return f"told are {edges or 'no periods'}, and ended has that from {first} to {last}"
    kwh = str(rows[0].get("actl_kwh_usg"))
    return "" if _wh(kwh) == wh else f"from {first} to {last} {kwh} kWh is told, and posted was {wh / 1000:.3f}"


def _day(day: date, held: Held) -> list[int]:
    """Wh of a day, and the registers at both midnights."""
    start, end = day_start(day), day_end(day)
    return [sum(held[int(one)][0] for one in ends_within(start, end)), held[int(start)][1], held[int(end)][1]]


def _wh(kwh: str) -> Decimal | None:
    try:
        return Decimal(kwh).scaleb(3)
    except InvalidOperation:
        return None


def _shown(one: Asked) -> list[dict[str, Any]]:
    """The latest reads that the portal showed, one after the other."""
    return [data_of(poll.reply) for poll in one.polls if poll.path == LATEST]


def _reads(looked: Looked) -> Seen:
    for one in looked.citing("SMT-PT-READ"):
        if one.filed is None:
            continue
        if one.turned_away:
            yield one.saw(None, f"it is turned away with {one.told.get('statusCode')}")
        elif one.inquiry.get("kind") != "REGISTER":
            asked = one.inquiry.get("kind") or "nothing"
            yield one.saw(False, f"a register read is asked for, and the TDSP is inquired of for {asked}")
        elif one.completed and "register" in one.answer:
            told, shown = one.answer["register"], (_shown(one) or [{}])[-1]
            stamp = us_stamp(epoch(told["at"]))
            right = shown.get("odrstatus") == "COMPLETED" and shown.get("odrdate") == stamp
            right = right and _wh(str(shown.get("odrread"))) == told["wh"]
            yield one.saw(right, f"{told['wh']} Wh at {stamp} is shown as {shown}")


def _pending(looked: Looked) -> Seen:
    for one in looked.citing("SMT-PT-PENDING"):
        back = one.back("answer")
        if back is None:
            continue
        before = [
            data_of(poll.reply).get("odrstatus")
            for poll in one.polls
            if poll.path == LATEST and poll.exchange.at_us < back.at_us
        ]
        if before:
            yield one.saw(set(before) == {"PENDING"}, f"before it is answered it is shown as {before}")


def _failed(looked: Looked) -> Seen:
    for one in looked.citing("SMT-PT-FAILED"):
        if one.answer.get("outcome") == "failed":
            shown = (_shown(one) or [{}])[-1]
            yield one.saw(shown.get("odrstatus") == "FAILED", f"the meter did not answer, and it is shown as {shown}")


def _refused(looked: Looked) -> Seen:
    """Whether it may be let in is told by SMT-PT-SHARED."""
    for one in looked.citing("SMT-PT-REFUSED"):
        if one.filed is None or one.told.get("RequestStatus") != "FLR":
            yield one.saw(None, "it is not turned away")
        else:
            code, inquired = one.told.get("statusCode"), ", and the TDSP is inquired of" if one.record.inquiry else ""
            yield one.saw(code == DAILY_LIMIT and not inquired, f"the day's limit is told as '{code}'{inquired}")


#: By what is read: the path, and what of an answer is not as it was posted.
_WRONG: dict[str, tuple[str, Callable[[dict[str, Any], UsageRead, Held], str]]] = {
    "15_minute": (SYNCH, lambda told, action, held: days_wrong(data_of(told), action, held)),
    "interval": (INTERVAL, _rows_wrong),
    "daily": (DAILY, _daily_wrong),
    "monthly": (MONTHLY, _monthly_wrong),
}
#: By id what is seen of it.
SEEN: dict[str, Callable[[Looked], Seen]] = {
    **{ident: _usage(ident) for ident in ("SMT-PT-USAGE", "SMT-PT-DAILY", "SMT-PT-MONTHLY")},
    "SMT-PT-READ": _reads,
    "SMT-PT-PENDING": _pending,
    "SMT-PT-FAILED": _failed,
    "SMT-PT-REFUSED": _refused,
}
