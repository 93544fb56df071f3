"""Who holds the allowances, live: the pure functions of ``decision`` over tables, one writing transaction per decision.

What ``MemoryAdmission`` decides in memory this decides in the database; besides it remembers who used an allowance and when.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from headend.store.statements import Prepared
from meters.calendar import Seconds
from simulator.smt.database.engine import reading, writing
from simulator.smt.database.tables import throttle_lease, throttle_mark, throttle_window
from simulator.smt.throttle.decision import (
    Count,
    Decided,
    Ending,
    Held,
    Lease,
    LimitState,
    Mark,
    Policy,
    Refusal,
    Requested,
    charged,
    concerns,
    decide,
    refusal_at,
    settle,
)
from simulator.smt.throttle.limits import MARKED
from simulator.smt.throttle.policy_change import counted, take_over
from simulator.smt.throttle.refusal_reasons import reason
from simulator.smt.throttle.standing import Standing, standing

#: (limit name, scope value)
_Place = tuple[str, str]
#: Statements are made once: making one takes as long as executing it.
_ENTER = Prepared(insert(throttle_lease))
_END = Prepared(
    update(throttle_lease).where(throttle_lease.c.request_key == bindparam("key"), throttle_lease.c.ended_at.is_(None))
)


class DatabaseAdmission:
    """``lifecycle.Admission`` over tables. Safe to use from several threads; on PostgreSQL from several workers."""

    def __init__(self, engine: Engine, policy: Policy) -> None:
        """Work on an open database (``engine.open_database``); what limits of another policy remember there is taken over."""
        self._engine = engine
        self._policy = policy
        self._limits = {limit.name: limit for limit in policy.limits}
        self._counted = {limit.name: counted(limit) for limit in policy.limits}
        take_over(engine, policy)

    def reserve(self, request_key: str, requested: Requested, now: Seconds) -> Lease | Refusal:
        """Reserve in all limits or in none. A refusal that is told says when the allowance was used."""
        places = self._places(requested)
        if not places:
            return Lease(())
        with writing(self._engine, turns=self._turns(places)) as connection:
            states = self._read(connection, places)
            before = {place: _snapshot(state) for place, state in states.items()}
            decided = decide(self._policy, requested, now, lambda limit, value: states[limit.name, value])
            if decided.refusal is not None:
                return _with_reason(connection, decided, requested, states)
            _write(connection, before, states)
            self._enter(connection, request_key, decided.lease, now)
        return decided.lease

    def charge(self, request_key: str, requested: Requested, at: Seconds, now: Seconds, octets: int = 0) -> None:
        """Count a read that was not let in; it is told of as any other use."""
        places = self._places(requested)
        if not places:
            return
        with writing(self._engine, turns=self._turns(places)) as connection:
            states = self._read(connection, places)
            before = {place: _snapshot(state) for place, state in states.items()}
            ending = Ending(True, octets)
            taken = charged(self._policy, requested, at, now, ending, lambda limit, value: states[limit.name, value])
            _write(connection, before, states)
            self._enter(connection, request_key, taken, at, ended_at=now, success=True)

    def _enter(self, connection: Connection, request_key: str, lease: Lease, at: Seconds, **ended: Any) -> None:
        """Remember who holds, or has used, what. ended: when and how, if it has."""
        rows = [
            {
                "request_key": request_key,
                "limit_name": held.limit,
                "scope_value": held.scope_value,
                "window_start": held.window,
                "amount": held.amount,
                "reserved_at": at,
                "counted": self._counted[held.limit],
                **ended,
            }
            for held in lease.held
        ]
        if rows:
            _ENTER.execute(connection, *rows)

    def refusal(self, requested: Requested, now: Seconds) -> Refusal | None:
        """How a request would be refused now; None if it would not. Reserves nothing."""
        places = self._places(requested)
        if not places:
            return None
        with reading(self._engine) as connection:
            states = self._read(connection, places)
            decided = refusal_at(self._policy, requested, now, lambda limit, value: states[limit.name, value])
            return None if decided is None else _with_reason(connection, decided, requested, states)

    def standing(self, requested: Sequence[Requested], now: Seconds) -> list[Standing]:
        """How each limit stands that concerns any of these requests, in the policy's order. Reserves nothing; any thread."""
        of = {place: None for one in requested for place in self._places(one)}
        places = [place for limit in self._limits for place in of if place[0] == limit]
        if not places:
            return []
        with self._engine.connect() as connection:
            states = self._read(connection, places)
        return [standing(self._limits[name], value, states[name, value], now) for name, value in places]

    def _read(self, connection: Connection, places: Sequence[_Place]) -> dict[_Place, LimitState]:
        states = {place: LimitState() for place in places}
        for row in connection.execute(*_selecting(throttle_window, places)):
            states[row.limit_name, row.scope_value].windows[row.window_start] = Count(row.used, row.held)
        marked = [place for place in places if self._limits[place[0]].measure in MARKED]
        if marked:
            for row in connection.execute(*_selecting(throttle_mark, marked)):
                states[row.limit_name, row.scope_value].mark = Mark(row.level, row.as_of)
        return states

    def _turns(self, places: Sequence[_Place]) -> list[str]:
        """Whom to take turns with: whoever reads or writes a state of the same scope value. Where no limit is shared, nobody waits."""
        return [f"{self._limits[name].scope} {value}" for name, value in places]

    def _places(self, requested: Requested) -> list[_Place]:
        return [
            (limit.name, requested.scopes[limit.scope]) for limit in self._policy.limits if concerns(limit, requested)
        ]

    def settle(
        self,
        request_key: str,
        lease: Lease,
        now: Seconds,
        success: bool,
        octets: int = 0,
        meter_failed: bool = False,
    ) -> None:
        """End a lease in all its limits. One that has ended already (recovery) stays as it is."""
        if not lease.held:
            return
        ending = Ending(success, octets, meter_failed)
        # Of a limit that this policy does not have, nothing is kept but the lease: it is counted anew if it comes back.
        own = [held for held in lease.held if held.limit in self._limits]
        places = [(held.limit, held.scope_value) for held in own]
        with writing(self._engine, turns=self._turns(places)) as connection:
            ended = _END.execute(connection, {"key": request_key, "ended_at": now, "success": success})
            if ended == 0 or not own:
                return
            states = self._read(connection, places)
            before = {place: _snapshot(state) for place, state in states.items()}
            for name, value, window, amount in own:
                settle(self._limits[name], states[name, value], window, amount, now, ending)
            _write(connection, before, states)

    def open_leases(self) -> dict[str, Lease]:
        """What requests hold that have not ended, by request: after a crash, what it left over."""
        table = throttle_lease.c
        held: dict[str, list[Held]] = {}
        order = (table.request_key, table.limit_name)
        with self._engine.connect() as connection:
            for row in connection.execute(select(throttle_lease).where(table.ended_at.is_(None)).order_by(*order)):
                place = Held(row.limit_name, row.scope_value, row.window_start, row.amount)
                held.setdefault(row.request_key, []).append(place)
        return {key: Lease(tuple(places)) for key, places in held.items()}


def _with_reason(
    connection: Connection, decided: Decided, requested: Requested, states: dict[_Place, LimitState]
) -> Refusal:
    """The refusal, with what stands against one more."""
    limit, refusal = decided.refusing, decided.refusal
    assert limit is not None
    assert refusal is not None
    value = requested.scopes[limit.scope]
    words = reason(connection, limit, value, states[limit.name, value], refusal.retry_at)
    return refusal._replace(reason=words)


class _Snapshot(NamedTuple):
    windows: dict[Seconds, tuple[int, int]]
    mark: Mark | None


def _snapshot(state: LimitState) -> _Snapshot:
    return _Snapshot({start: (count.used, count.held) for start, count in state.windows.items()}, state.mark)


def _selecting(table: Table, places: Sequence[_Place]) -> tuple[Select[Any], dict[str, str]]:
    """What selects the rows of places, and what it is bound to."""
    named = {f"limit{n}": name for n, (name, _) in enumerate(places)}
    return _of_places(table, len(places)), named | {f"value{n}": value for n, (_, value) in enumerate(places)}


@functools.cache
def _of_places(table: Table, count: int) -> Select[Any]:
    """The rows of so many places."""
    limit, value = table.c.limit_name, table.c.scope_value
    return select(table).where(
        or_(*(and_(limit == bindparam(f"limit{n}"), value == bindparam(f"value{n}")) for n in range(count)))
    )


def _write(connection: Connection, before: dict[_Place, _Snapshot], states: dict[_Place, LimitState]) -> None:
    """Write what has changed."""
    for place, state in states.items():
        old, new = before[place], _snapshot(state)
        for start in old.windows.keys() | new.windows.keys():
            if old.windows.get(start) == new.windows.get(start):
                continue
            key = {"window_start": start}
            if start not in new.windows:
                _put(connection, throttle_window, place, key, None, start in old.windows)
                continue
            used, held = new.windows[start]
            _put(connection, throttle_window, place, key, {"used": used, "held": held}, start in old.windows)
        if old.mark != new.mark:
            fields = None if new.mark is None else new.mark._asdict()
            _put(connection, throttle_mark, place, {}, fields, old.mark is not None)


def _put(
    connection: Connection,
    table: Table,
    place: _Place,
    key: Mapping[str, int],
    fields: Mapping[str, int] | None,
    there: bool,
) -> None:
    """One row, made to be ``fields`` (None: gone)."""
    whole: dict[str, Any] = {"limit_name": place[0], "scope_value": place[1], **key}
    entering, changing, deleting = _row(table)
    here = {f"of_{name}": value for name, value in whole.items()}
    if fields is None:
        deleting.execute(connection, here)
    elif there:
        changing.execute(connection, {**here, **fields})
    else:
        entering.execute(connection, {**whole, **fields})


@functools.cache
def _row(table: Table) -> tuple[Prepared, Prepared, Prepared]:
    """What enters one row, what changes it, and what deletes it."""
    here = and_(*(column == bindparam(f"of_{column.name}") for column in table.primary_key))
    return Prepared(insert(table)), Prepared(update(table).where(here)), Prepared(delete(table).where(here))
