"""What a dispatcher works by, written into the database, and its workers held to it: the same clock, policy, token life, records, folder of files and keys of links.

Each process decides on requests by itself, so one that is told something else would be right by its own lights and wrong by the others'.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, delete, insert, select

from headend.http.links import LinkKeys
from meters.calendar import Micros, fraction_s, iso, to_s
from simulator.errors import SimulatorError
from simulator.smt.database.engine import reading, writing
from simulator.smt.database.seat import Role
from simulator.smt.database.tables import dispatcher_terms
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.limits import Policy

#: Says which folder it is, wherever it is mounted; beside the homes, where no user of the file site comes.
_FOLDER_ID = ".folder"
#: Wall seconds by which two clocks may be apart: numbers that were typed are rounded. A default of this project.
_CLOCKS_S = 0.01
#: By the name of a term: the option that is at fault, and the mend.
_MENDS = {
    "clock": ("--clock-of", "Give it the dispatcher's ready line or URL."),
    "policy": ("--policy", "Give it the dispatcher's."),
    "token_life": ("--token-life", "Give it the dispatcher's."),
    "registry": ("--registry, --meters-of, --count, --seed, --mix, --special", "Tell it of the records what the dispatcher was told."),
    "out": ("--out", "Give it the dispatcher's folder."),
    "keys": ("--keys", "Give it the dispatcher's keys_file, as its ready line tells it."),
}  # fmt: skip


class ClockNumbers(NamedTuple):
    """A running clock: model time ``epoch_us`` at ``wall_start``, and how fast it runs."""

    epoch_us: Micros
    speed: float
    wall_start: float

    def agrees(self, other: ClockNumbers) -> bool:
        """Whether both have the same now, always."""
        ahead_s = fraction_s(self.epoch_us - other.epoch_us) - (self.wall_start - other.wall_start) * self.speed
        return self.speed == other.speed and abs(ahead_s) <= _CLOCKS_S * self.speed

    def words(self) -> str:
        """In words."""
        return f"{iso(to_s(self.epoch_us))} at {self.wall_start!r}, x{self.speed:g}"


class Term(NamedTuple):
    """One of them. value: what is compared. told: how it is named to people."""

    name: str
    value: str
    told: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What one process works by. folder: of the homes."""

    policy: Policy
    registry: Registry
    clock: ClockNumbers
    folder: Path
    keys: Mapping[str, LinkKeys]
    #: Which clock tokens live by.
    token_life: str = "wall"

    def hold(self, engine: Engine, role: Role) -> None:
        """Write them, at the dispatcher; compare them, at a worker. Raises SimulatorError ``smt.workers.*`` for one that differs."""
        if role is Role.DISPATCHER:
            self._write(engine)
        elif role is Role.WORKER:
            differs = self.difference(engine)
            if differs is not None:
                raise differs

    def difference(self, engine: Engine) -> SimulatorError | None:
        """Where they are not the latest dispatcher's; None if nowhere, or if there never was a dispatcher."""
        with reading(engine) as connection:
            held = {row.name: Term(*row) for row in connection.execute(select(dispatcher_terms))}
        for mine in self._terms():
            theirs = held.get(mine.name, mine)
            if mine.value == theirs.value or (
                mine.name == "clock" and self.clock.agrees(ClockNumbers(*json.loads(theirs.value)))
            ):
                continue
            place, mend = _MENDS[mine.name]
            return SimulatorError(
                f"smt.workers.{mine.name}",
                f"The dispatcher works by another {mine.name}: {theirs.told}; this worker by {mine.told}.",
                place,
                f"{mend} If the dispatcher is to change, start it first.",
            )
        return None

    def _write(self, engine: Engine) -> None:
        mark = self.folder / _FOLDER_ID
        if not mark.exists():
            mark.write_text(secrets.token_hex(8))
        with writing(engine) as connection:
            connection.execute(delete(dispatcher_terms))
            connection.execute(insert(dispatcher_terms), [term._asdict() for term in self._terms()])

    def _terms(self) -> tuple[Term, ...]:
        mark = self.folder / _FOLDER_ID
        policy, registry = _of_policy(self.policy), _of_registry(self.registry)
        keys = _digest(sorted(f"{tdsp} {astuple(keys)}" for tdsp, keys in self.keys.items()))
        return (
            Term("clock", json.dumps(self.clock), self.clock.words()),
            Term("policy", policy, f"{self.policy.name} ({policy})"),
            Term("registry", registry, f"{len(self.registry.points)} service points ({registry})"),
            Term("token_life", self.token_life, self.token_life),
            Term("out", mark.read_text() if mark.exists() else "", str(self.folder.resolve())),
            Term("keys", keys, keys),
        )


def _of_policy(policy: Policy) -> str:
    """Digest of what a policy does, whatever it is called."""
    return _digest([json.dumps(asdict(policy) | {"name": "", "title": ""}, default=sorted)])


def _of_registry(registry: Registry) -> str:
    """Digest of the records. Not of the passwords' hashes: of one password no two are the same."""
    records = registry.records._replace(users=tuple(replace(user, password_hash="") for user in registry.records.users))
    return _digest(sorted(repr(row) for rows in records for row in rows))


def _digest(lines: Iterable[str]) -> str:
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()
