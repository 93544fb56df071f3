"""Complaints in SMT's database: which are on and how often each struck, for every process at it, and past a restart."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Engine, func, insert, not_, select, true, update

from simulator.smt.database.engine import reading, writing
from simulator.smt.database.tables import complaint


class Entered(NamedTuple):
    """One that is on. ``spec``: as it was declared, as JSON."""

    number: int
    spec: dict[str, Any]
    strikes: int


class ComplaintBook:
    """The book over an open database; numbers count up from 1 and are not given twice."""

    def __init__(self, engine: Engine) -> None:
        """engine: from ``engine.open_database``."""
        self._engine = engine

    def on(self) -> list[Entered]:
        """Those that are not lifted, in the order in which they were declared."""
        table = complaint.c
        wanted = select(table.number, table.spec, table.strikes).where(not_(table.lifted)).order_by(table.number)
        with reading(self._engine) as connection:
            return [Entered(*row) for row in connection.execute(wanted)]

    def enter(self, spec: dict[str, Any], most: int) -> int | None:
        """Enter one; its number, or None if ``most`` are on."""
        # Declarations of several processes take turns, so that each finds a number of its own.
        with writing(self._engine, turns=("complaints",)) as connection:
            on = select(func.count()).select_from(complaint).where(not_(complaint.c.lifted))
            if (connection.scalar(on) or 0) >= most:
                return None
            number: int = (connection.scalar(select(func.max(complaint.c.number))) or 0) + 1
            connection.execute(insert(complaint), {"number": number, "spec": spec, "strikes": 0, "lifted": False})
        return number

    def lift(self, number: int) -> int | None:
        """Lift one; how often it struck, or None if it is not on."""
        lifting = update(complaint).where(complaint.c.number == number, not_(complaint.c.lifted)).values(lifted=True)
        with writing(self._engine) as connection:
            strikes: int | None = connection.scalar(lifting.returning(complaint.c.strikes))
        return strikes

    def strike(self, number: int, times: int | None) -> int | None:
        """Count a strike; how many that makes, or None if it is lifted, or has struck ``times`` times."""
        table = complaint.c
        left = true() if times is None else table.strikes < times
        counting = update(complaint).where(table.number == number, not_(table.lifted), left)
        with writing(self._engine) as connection:
            strikes: int | None = connection.scalar(counting.values(strikes=table.strikes + 1).returning(table.strikes))
        return strikes
