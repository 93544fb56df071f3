"""Who holds the allowances, live: the pure functions of ``throttle`` over tables, one writing transaction per decision.

What ``MemoryAdmission`` decides in memory this decides in the database; besides it remembers who used an allowance and when.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Engine, and_, delete, func, insert, or_, select, update

from meters.calendar import iso
from simulator.smt.database import throttle_lease, throttle_window, writing
from simulator.smt.throttle import (
    Count,
    Lease,
    Limit,
    LimitState,
    Policy,
    Refusal,
    Requested,
    Window,
    admit,
    concerns,
    later,
    reserve,
    settle,
)

#: (limit name, scope value)
_Place = tuple[str, str]
#: Uses that are named one by one in a refusal. A default of this project.
_MOST_NAMED = 4
_ROLLING = frozenset({Window.ROLLING_HOUR, Window.ROLLING_DAY})


class DatabaseAdmission:
    """``lifecycle.Admission`` over tables. Safe to use from several threads; on PostgreSQL from several workers."""

    def __init__(self, engine: Engine, policy: Policy) -> None:
        """Work on an open database (``database.open_database``)."""
        self._engine = engine
        self._policy = policy
        self._limits = {limit.name: limit for limit in policy.limits}

    def reserve(self, request_key: str, requested: Requested, now: int) -> Lease | Refusal:
        """Reserve in all limits or in none. A refusal that is told says when the allowance was used."""
        concerned = [
            (limit, (limit.name, requested.scopes[limit.scope]))
            for limit in self._policy.limits
            if concerns(limit, requested)
        ]
        if not concerned:
            return Lease(())
        with writing(self._engine, admission=True) as connection:
            states = _read(connection, [place for _, place in concerned])
            refusal: Refusal | None = None
            refusing: Limit | None = None
            held: list[tuple[str, str, int]] = []
            for limit, place in concerned:
                decision = admit(limit, states[place], now)
                if not decision.ok:
                    told = later(refusal, limit, decision)
                    if told is not refusal:
                        refusal, refusing = told, limit
                held.append((*place, decision.window))
            if refusal is not None:
                assert refusing is not None
                value = requested.scopes[refusing.scope]
                return refusal._replace(reason=_reason(connection, refusal, refusing, value))
            before = {place: _snapshot(state) for place, state in states.items()}
            for name, value, window in held:
                reserve(states[name, value], window)
            _write(connection, before, states)
            connection.execute(
                insert(throttle_lease),
                [
                    {
                        "request_key": request_key,
                        "limit_name": name,
                        "scope_value": value,
                        "window_start": window,
                        "reserved_at": now,
                    }
                    for name, value, window in held
                ],
            )
        return Lease(tuple(held))

    def settle(self, request_key: str, lease: Lease, now: int, success: bool) -> None:
        """End a lease in all its limits. One that has ended already (recovery) stays as it is."""
        if not lease.held:
            return
        open_one = and_(throttle_lease.c.request_key == request_key, throttle_lease.c.ended_at.is_(None))
        with writing(self._engine, admission=True) as connection:
            ended = connection.execute(update(throttle_lease).where(open_one).values(ended_at=now, success=success))
            if ended.rowcount == 0:
                return
            states = _read(connection, [(name, value) for name, value, _ in lease.held])
            before = {place: _snapshot(state) for place, state in states.items()}
            for name, value, window in lease.held:
                settle(states[name, value], window, now, success)
            _write(connection, before, states)

    def open_leases(self) -> dict[str, Lease]:
        """What requests hold that have not ended, by request: after a crash, what it left over."""
        table = throttle_lease.c
        held: dict[str, list[tuple[str, str, int]]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(select(throttle_lease).where(table.ended_at.is_(None))):
                held.setdefault(row.request_key, []).append((row.limit_name, row.scope_value, row.window_start))
        return {key: Lease(tuple(places)) for key, places in sorted(held.items())}


def _reason(connection: Connection, refusal: Refusal, limit: Limit, value: str) -> str:
    """The rule, and what stands against one more: the uses and the requests under way that fill the limit.

    Those are the last ``amount`` ones. Up to ``_MOST_NAMED`` each is named by its instant, beyond that they are counted. In a rolling
    window a use counts from its request on, so that instant is told: ``retry_at`` is a window after the first of them.
    """
    if not limit.told or not limit.amount:
        return refusal.reason
    table = throttle_lease.c
    counts_from = table.reserved_at if limit.window in _ROLLING else table.ended_at
    mine = and_(table.limit_name == limit.name, table.scope_value == value)
    waiting = and_(mine, table.ended_at.is_(None))
    latest = table.reserved_at.desc()
    if limit.amount > _MOST_NAMED:
        last = connection.scalar(select(counts_from).where(mine, table.success).order_by(latest).limit(1))
        held = connection.scalar(select(func.count()).where(waiting)) or 0
        return " ".join([refusal.reason, *_counted(max(0, limit.amount - held), last, held)])
    rows = connection.execute(
        select(counts_from.label("at"), table.reserved_at, table.ended_at)
        .where(mine, or_(table.ended_at.is_(None), table.success))
        .order_by(latest)
        .limit(limit.amount)
    ).all()
    used = sorted(row.at for row in rows if row.ended_at is not None)
    under_way = sorted(row.reserved_at for row in rows if row.ended_at is None)
    return " ".join([refusal.reason, *_named(used, under_way)])


def _named(used: Sequence[int], under_way: Sequence[int]) -> Iterator[str]:
    """Sentences that name each instant (UTC epoch seconds, in order)."""
    if used:
        yield f"{'It was used' if len(used) == 1 and not under_way else 'Used'} at {_listed(used)}."
    if len(under_way) == 1:
        yield f"A request of {_listed(under_way)} is under way."
    elif under_way:
        yield f"Requests of {_listed(under_way)} are under way."


def _counted(used: int, last: int | None, under_way: int) -> Iterator[str]:
    """Sentences that count, with the last instant."""
    if used and last is not None:
        yield f"Used {used:,} time{'s' * (used > 1)}, last at {iso(last)}."
    if under_way:
        yield f"{under_way:,} request{'s are' if under_way > 1 else ' is'} under way."


def _listed(instants: Sequence[int]) -> str:
    *before, last = (iso(at) for at in instants)
    return f"{', '.join(before)} and {last}" if before else last


_Windows = dict[int, tuple[int, int]]


def _snapshot(state: LimitState) -> _Windows:
    return {start: (count.used, count.held) for start, count in state.windows.items()}


def _read(connection: Connection, places: Sequence[_Place]) -> dict[_Place, LimitState]:
    table = throttle_window.c
    states = {place: LimitState() for place in places}
    mine = or_(*(and_(table.limit_name == name, table.scope_value == value) for name, value in states))
    for row in connection.execute(select(throttle_window).where(mine)):
        states[row.limit_name, row.scope_value].windows[row.window_start] = Count(row.used, row.held)
    return states


def _write(connection: Connection, before: dict[_Place, _Windows], states: dict[_Place, LimitState]) -> None:
    """Write what has changed."""
    table = throttle_window.c
    for place, state in states.items():
        old, new = before[place], _snapshot(state)
        name, value = place
        for start in old.keys() | new.keys():
            if old.get(start) == new.get(start):
                continue
            here = and_(table.limit_name == name, table.scope_value == value, table.window_start == start)
            if start not in new:
                connection.execute(delete(throttle_window).where(here))
                continue
            used, held = new[start]
            if start in old:
                connection.execute(update(throttle_window).where(here).values(used=used, held=held))
            else:
                row = {"limit_name": name, "scope_value": value, "window_start": start, "used": used, "held": held}
                connection.execute(insert(throttle_window), row)
