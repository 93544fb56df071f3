"""What a refusal that is told says beside its rule: the uses and the requests under way that stand against one more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, and_, func, or_, select

from meters.calendar import Seconds, iso, seconds
from simulator.smt.database.tables import throttle_lease
from simulator.smt.throttle.counts import LimitState
from simulator.smt.throttle.limits import Limit, Measure, Window

#: Uses that are named one by one in a refusal. A default of this project.
_MOST_NAMED = 4
_ROLLING = frozenset({Window.ROLLING_HOUR, Window.ROLLING_DAY})


def reason(connection: Connection, limit: Limit, value: str, state: LimitState, retry_at: Seconds) -> str:
    """The rule, and what stands against one more. retry_at: of the refusal, UTC epoch seconds."""
    if not limit.told or not limit.amount:
        return limit.rule
    match limit.measure:
        case Measure.SUCCESSES:
            said = _uses(connection, limit, value)
        case Measure.OCTETS:
            said = _octets(state)
        case Measure.UNDER_WAY:
            since = sorted(start for start, count in state.windows.items() for _ in range(count.held))
            said = _under_way_since(since)
        case Measure.TOKENS:
            said = iter([f"The next one is there at {iso(retry_at)}." if retry_at else ""])
        case Measure.METER_FAILURES:
            said = _breaker(limit, state)
    return " ".join([limit.rule, *said])


def _uses(connection: Connection, limit: Limit, value: str) -> Iterator[str]:
    """The last ``amount`` uses and requests under way: those fill the limit.

    Up to ``_MOST_NAMED`` each is named by its instant, beyond that they are counted. In a rolling window a use counts from its request on,
    so that instant is told: ``retry_at`` is a window after the first of them.
    """
    table = throttle_lease.c
    counts_from = table.reserved_at if limit.window in _ROLLING else table.ended_at
    mine = and_(table.limit_name == limit.name, table.scope_value == value)
    waiting = and_(mine, table.ended_at.is_(None))
    latest = table.reserved_at.desc()
    if limit.amount > _MOST_NAMED:
        last = connection.scalar(select(counts_from).where(mine, table.success).order_by(latest).limit(1))
        held = connection.scalar(select(func.count()).where(waiting)) or 0
        yield from _counted(max(0, limit.amount - held), last, held)
        return
    rows = connection.execute(
        select(counts_from.label("at"), table.reserved_at, table.ended_at)
        .where(mine, or_(table.ended_at.is_(None), table.success))
        .order_by(latest)
        .limit(limit.amount)
    ).all()
    used = sorted(row.at for row in rows if row.ended_at is not None)
    under_way = sorted(row.reserved_at for row in rows if row.ended_at is None)
    yield from _named(used, under_way)


def _octets(state: LimitState) -> Iterator[str]:
    newest = max(state.windows, default=seconds(0))
    count = state.windows.get(newest)
    if count is not None and count.held:
        yield f"{count.held:,} octets are held for requests under way."


def _under_way_since(since: Sequence[Seconds]) -> Iterator[str]:
    if len(since) > _MOST_NAMED:
        yield f"{len(since):,} requests are under way, the first since {iso(since[0])}."
    else:
        yield from _named([], since)


def _breaker(limit: Limit, state: LimitState) -> Iterator[str]:
    if state.mark is not None:
        yield f"{limit.amount} failures within {limit.within_s:,} s, or a failed probe, were seen at {iso(state.mark.as_of)}."


def _named(used: Sequence[Seconds], under_way: Sequence[Seconds]) -> Iterator[str]:
    """Sentences that name each instant (UTC epoch seconds, in order)."""
    if used:
        yield f"{'It was used' if len(used) == 1 and not under_way else 'Used'} at {_listed(used)}."
    if len(under_way) == 1:
        yield f"A request of {_listed(under_way)} is under way."
    elif under_way:
        yield f"Requests of {_listed(under_way)} are under way."


def _counted(used: int, last: Seconds | None, under_way: int) -> Iterator[str]:
    """Sentences that count, with the last instant."""
    if used and last is not None:
        yield f"Used {used:,} time{'s' * (used > 1)}, last at {iso(last)}."
    if under_way:
        yield f"{under_way:,} request{'s are' if under_way > 1 else ' is'} under way."


def _listed(these: Sequence[Seconds]) -> str:
    *before, last = (iso(at) for at in these)
    return f"{', '.join(before)} and {last}" if before else last
