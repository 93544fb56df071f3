"""What a change of policy does to what limits remember: a limit's state is its own only as long as it means the same.

State is kept by the name of the limit. Under another policy the same name may stand for other requests, counted by another measure; and a limit
that was not there for a while has missed what was used meanwhile. Either is counted anew, from the leases of limits that counted the same requests.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, or_, select, update

from simulator.smt.database.engine import writing
from simulator.smt.database.tables import throttle_lease, throttle_limit, throttle_mark, throttle_window
from simulator.smt.throttle.counts import FORGOTTEN_S, Count, window_of
from simulator.smt.throttle.limits import Limit, Measure, Policy

#: Measures that a lease's success tells all about.
_BY_SUCCESS = frozenset({Measure.SUCCESSES, Measure.TOKENS})
_IN_WINDOWS = frozenset({Measure.SUCCESSES, Measure.OCTETS})


def counted(limit: Limit) -> str:
    """Digest of the requests that a limit counts, and of whose are counted together: whatever its name and its measure."""
    return _digest(limit.kind, limit.scope, *(sorted(one) for one in (limit.doors, limit.classes, limit.but_classes)))


def meaning(limit: Limit) -> str:
    """Digest of what a limit's state means. Its amount is no part of it: the same count is held against another."""
    window = limit.window if limit.measure in _IN_WINDOWS else None
    return _digest(counted(limit), limit.measure, window, limit.per_s)


def _digest(*content: object) -> str:
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()


def take_over(engine: Engine, policy: Policy) -> None:
    """Make the state in the database that of a policy's limits. Every process at the database has to have the same policy."""
    wanted = {limit.name: meaning(limit) for limit in policy.limits}
    with engine.connect() as connection:
        if _held(connection) == wanted:
            return
    with writing(engine, turns=("policy",)) as connection:
        # Another worker may have done it meanwhile.
        held = _held(connection)
        if held == wanted:
            return
        strange = [limit for limit in policy.limits if held.get(limit.name) != wanted[limit.name]]
        # From a database that did not say yet what it counted: most likely the same policy.
        unsaid = [limit for limit in strange if held.get(limit.name) == ""]
        for limit in unsaid:
            mine = and_(throttle_lease.c.limit_name == limit.name, throttle_lease.c.counted == "")
            connection.execute(update(throttle_lease).where(mine).values(counted=counted(limit)))
        for limit in strange:
            if limit not in unsaid:
                _forget(connection, limit.name)
                _set_aside(connection, limit)
                _count_anew(connection, limit)
        for name in held.keys() - wanted.keys():
            _forget(connection, name)
        connection.execute(delete(throttle_limit))
        if wanted:
            rows = [{"limit_name": name, "meaning": digest} for name, digest in wanted.items()]
            connection.execute(insert(throttle_limit), rows)


def _held(connection: Connection) -> dict[str, str]:
    return {row.limit_name: row.meaning for row in connection.execute(select(throttle_limit))}


def _forget(connection: Connection, name: str) -> None:
    for table in (throttle_window, throttle_mark):
        connection.execute(delete(table).where(table.c.limit_name == name))


def _set_aside(connection: Connection, limit: Limit) -> None:
    """Give leases of a limit that had this name and counted other requests another one, which no limit can have."""
    table = throttle_lease.c
    mine = table.limit_name == limit.name
    for other in connection.scalars(
        select(table.counted).where(mine, table.counted != counted(limit)).distinct()
    ).all():
        aside = f"{limit.name}@{other}"
        theirs = and_(mine, table.counted == other)
        # Set aside before, counted anew since: the later row says the same.
        again = select(table.request_key).where(theirs).scalar_subquery()
        connection.execute(delete(throttle_lease).where(table.limit_name == aside, table.request_key.in_(again)))
        connection.execute(update(throttle_lease).where(theirs).values(limit_name=aside))


def _count_anew(connection: Connection, limit: Limit) -> None:
    """Hold against a limit what is under way and, where the leases tell it, what was used in windows that still count."""
    table = throttle_lease.c
    newest = connection.scalar(select(func.max(table.reserved_at)))
    if newest is None:
        return
    counts: ColumnElement[bool] = table.ended_at.is_(None)
    if limit.measure in _BY_SUCCESS:
        counts = or_(counts, table.success.is_(True))
    same = and_(table.counted == counted(limit), table.reserved_at > newest - FORGOTTEN_S, counts)
    # Several limits may have counted the same request; how it ended is the same in all.
    leases: dict[str, dict[str, Any]] = {}
    counts_by: defaultdict[tuple[str, int], Count] = defaultdict(Count)
    for row in connection.execute(select(throttle_lease).where(same)):
        if row.request_key in leases:
            continue
        window = window_of(limit, row.reserved_at)
        own = {"limit_name": limit.name, "window_start": window, "amount": limit.weight}
        leases[row.request_key] = row._asdict() | own
        count = counts_by[row.scope_value, window]
        if row.ended_at is None:
            count.held += limit.weight
        else:
            count.used += 1
    if leases:
        connection.execute(delete(throttle_lease).where(same, table.limit_name == limit.name))
        connection.execute(insert(throttle_lease), list(leases.values()))
        windows = [
            {
                "limit_name": limit.name,
                "scope_value": value,
                "window_start": start,
                "used": count.used,
                "held": count.held,
            }
            for (value, start), count in counts_by.items()
        ]
        connection.execute(insert(throttle_window), windows)
