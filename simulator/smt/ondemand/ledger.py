"""The ledger of on-demand requests: one row when a request comes, one per transition and finding, one for the answer. Append-only.

Polls far outnumber requests, so the entries asked for last are kept in memory as well, up to so many octets: any while this process alone writes the
ledger, otherwise those that have ended, which nobody changes any more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from headend.store.statements import Prepared
from headend.wire import InquiryKind, InquiryResult
from meters.calendar import Micros, day_end, day_start, to_us
from simulator.smt.database.engine import insert_new, reading, try_writing, writing
from simulator.smt.database.tables import (
    dispatcher_sweep,
    odr_answer,
    odr_call_back,
    odr_open,
    odr_request,
    odr_transition,
)
from simulator.smt.ondemand.lifecycle import BESIDE, ENDED, Filed, State
from simulator.smt.ondemand.rules import UNALLOWED
from simulator.smt.ondemand.tally import DayTally
from simulator.smt.throttle.decision import Door, Refusal

#: Octets of entries that are kept in memory at most (what is polled is among the latest), and what one takes: with its answer's intervals it is
#: much larger than without. Measured.
_KEPT = 100_000_000
_ENTRY, _INTERVAL = 4_000, 700

# What every request needs many times, made once: making a statement takes as long as executing it.
_OPEN_KEYS = select(odr_open.c.request_key).order_by(odr_open.c.request_key)
_REQUEST = select(odr_request).where(odr_request.c.key == bindparam("key"))
_ENTER, _ANSWER = Prepared(insert(odr_open)), Prepared(insert(odr_answer))
_MOVE = Prepared(update(odr_open).where(odr_open.c.request_key == bindparam("key")))
_LEAVE = Prepared(delete(odr_open).where(odr_open.c.request_key == bindparam("key")))


class Transition(NamedTuple):
    """One step of a request's life, and what was known then."""

    state: State
    at_us: Micros
    reason: str = ""
    meter_allowed: bool = False
    refusal: Refusal | None = None
    #: Intervals of the answer by source, tries at the meter, Modbus octets.
    from_store: int = 0
    from_meter: int = 0
    meter_reads: int = 0
    octets: int = 0
    #: The rule that was broken (``rules.csv``) or that it failed by, in which field, by what.
    rule: str = ""
    field: str = ""
    value: str = ""


@dataclass(slots=True)
class Entry:
    """A request with its history and, once it has one, its answer and what tells that from another."""

    filed: Filed
    transitions: list[Transition] = field(default_factory=list)
    content: InquiryResult | None = None
    digest: str = ""

    @property
    def life(self) -> list[Transition]:
        """The steps of its life, without what was found beside it."""
        return [step for step in self.transitions if step.state not in BESIDE]

    @property
    def last(self) -> Transition:
        """Where it stands."""
        return next(step for step in reversed(self.transitions) if step.state not in BESIDE)

    @property
    def unallowed(self) -> bool:
        """Whether a meter was read for it that might not be."""
        return any(step.rule == UNALLOWED for step in self.transitions)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.last.state in ENDED

    @property
    def octets(self) -> int:
        """About how much memory it takes."""
        content = self.content
        return _ENTRY + (0 if content is None else _INTERVAL * (len(content.intervals) + len(content.missing)))


class KeyTakenError(Exception):
    """Another process has filed a request under the same key in the meantime."""


class Ledger:
    """The ledger over an open database (``engine.open_database``)."""

    def __init__(self, engine: Engine, *, shared: bool = False) -> None:
        """Begin with nothing in memory. shared: other processes write this ledger too."""
        self._engine = engine
        self._shared = shared
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._octets = 0

    def one_look(self) -> AbstractContextManager[object]:
        """What is read within is read by one connection."""
        return reading(self._engine)

    def file(self, filed: Filed, transition: Transition) -> None:
        """Enter a new request with its first transition. Raises KeyTakenError if there is one with its key: the transaction is to be undone."""
        with writing(self._engine) as connection:
            if not insert_new(connection, odr_request, _request_row(filed)):
                raise KeyTakenError(filed.key)
            _append(connection, filed.key, 0, transition)
            place = {"request_key": filed.key, "state": transition.state.value, "since_us": transition.at_us}
            _ENTER.execute(connection, place)
        self._remember(Entry(filed, [transition]))

    def append(self, key: str, transition: Transition, content: InquiryResult | None = None, digest: str = "") -> None:
        """Enter one more transition of a request, and its answer when it comes."""
        entry = self.entry(key)
        if entry is None:
            raise KeyError(key)
        with writing(self._engine) as connection:
            _append(connection, key, len(entry.transitions), transition)
            if content is not None:
                told = content.model_dump(mode="json", by_alias=True)
                row = {"request_key": key, "content": told, "digest": digest}
                _ANSWER.execute(connection, row)
            if transition.state in BESIDE:
                pass
            elif transition.state in ENDED:
                _LEAVE.execute(connection, {"key": key})
            else:
                place = {"key": key, "state": transition.state.value, "since_us": transition.at_us}
                _MOVE.execute(connection, place)
        # Out of memory while it changes: it is weighed again when it comes back.
        self.forget(key)
        entry.transitions.append(transition)
        if content is not None:
            entry.content, entry.digest = content, digest
        self._remember(entry)

    def forget(self, key: str) -> None:
        """Drop what is in memory of a request: the transaction that wrote it was undone."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._octets -= entry.octets

    def entry(self, key: str) -> Entry | None:
        """One request; None if it was never filed."""
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
            return found
        with reading(self._engine) as connection:
            row = connection.execute(_REQUEST, {"key": key}).first()
            if row is None:
                return None
            steps = connection.execute(
                select(odr_transition).where(odr_transition.c.request_key == key).order_by(odr_transition.c.ordinal)
            )
            transitions = [_transition(step) for step in steps]
            answer = connection.execute(select(odr_answer).where(odr_answer.c.request_key == key)).first()
        entry = Entry(_filed(row), transitions)
        if answer is not None:
            entry.content, entry.digest = InquiryResult.model_validate(answer.content), answer.digest
        return self._remember(entry)

    def latest(self, esiid: str, kind: InquiryKind, *states: State, before_us: Micros | None = None) -> Entry | None:
        """The latest request of an ESI ID that was not refused; with ``states``, that came to one of these; submitted before ``before_us``."""
        table = odr_request.c
        reached = exists().where(odr_transition.c.request_key == table.key)
        counts: ColumnElement[bool] = ~reached.where(odr_transition.c.state == State.REFUSED.value)
        if states:
            counts = reached.where(odr_transition.c.state.in_([state.value for state in states]))
        wanted = select(table.key).where(table.esiid == esiid, table.kind == kind.value, counts)
        if before_us is not None:
            wanted = wanted.where(table.submitted_us < before_us)
        with reading(self._engine) as connection:
            key = connection.scalar(wanted.order_by(table.submitted_us.desc(), table.key.desc()).limit(1))
        return None if key is None else self.entry(key)

    def latest_read(self, esiid: str, kind: InquiryKind, since_us: Micros) -> str | None:
        """Key of the latest completed request of an ESI ID that a meter was read for and that was answered at ``since_us`` or later."""
        table, step, end = odr_request.c, odr_transition.c, odr_transition.alias("ending").c
        wanted = (
            select(table.key)
            .join(odr_transition, step.request_key == table.key)
            .where(table.esiid == esiid, table.kind == kind.value)
            .where(step.state == State.ANSWERED.value, step.at_us >= since_us, step.meter_reads > 0)
            .where(exists().where(end.request_key == table.key, end.state == State.COMPLETED.value))
            .order_by(step.at_us.desc(), table.key.desc())
        )
        with reading(self._engine) as connection:
            key: str | None = connection.scalar(wanted.limit(1))
        return key

    def audit(
        self,
        esiid: str | None = None,
        day: date | None = None,
        *,
        call_reference: str | None = None,
        most: int | None = None,
    ) -> list[Entry]:
        """Requests of an ESI ID, an operating day, a call (AMB-10), each if it is given, by time of submission; the latest ``most``."""
        table = odr_request.c
        wanted = select(table.key).order_by(table.submitted_us.desc(), table.key.desc()).limit(most)
        if esiid is not None:
            wanted = wanted.where(table.esiid == esiid)
        if day is not None:
            wanted = wanted.where(table.submitted_us >= to_us(day_start(day)), table.submitted_us < to_us(day_end(day)))
        if call_reference is not None:
            wanted = wanted.where(table.call_reference == call_reference)
        return self._entries_of(wanted)[::-1]

    def unfinished(self, *states: State) -> list[Entry]:
        """Requests that have not ended, by key; with ``states``, that stand in one of these."""
        wanted = select(odr_open.c.request_key).order_by(odr_open.c.request_key)
        if states:
            wanted = wanted.where(odr_open.c.state.in_([state.value for state in states]))
        return self._entries_of(wanted)

    def open_keys(self) -> list[str]:
        """The requests that have not ended."""
        with reading(self._engine) as connection:
            return list(connection.scalars(_OPEN_KEYS))

    def open_counts(self) -> dict[State, int]:
        """How many requests stand in each state that is no end."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(odr_open.c.state, func.count()).group_by(odr_open.c.state)).all()
        return {State(state): count for state, count in rows}

    def tally(self, day: date) -> DayTally:
        """The requests that were submitted on an operating day, in numbers. Safe to use from any thread."""
        came, step = odr_request.c, odr_transition.c
        of_day = (came.submitted_us >= to_us(day_start(day)), came.submitted_us < to_us(day_end(day)))
        code = step.refusal["code"].as_string()
        ended = (
            select(step.state, step.at_us - came.submitted_us, code)
            .join(odr_request, step.request_key == came.key)
            .where(*of_day, step.state.in_([state.value for state in ENDED]))
        )
        still = (
            select(odr_open.c.state, func.count())
            .join(odr_request, odr_open.c.request_key == came.key)
            .where(*of_day)
            .group_by(odr_open.c.state)
        )
        tally = DayTally()
        with self._engine.connect() as connection:
            for state, span, refused_by in connection.execute(ended):
                tally.states[State(state)] += 1
                tally.took_us[State(state)].append(span)
                if state == State.REFUSED:
                    tally.refusals[refused_by] += 1
            for state, count in connection.execute(still):
                tally.states[State(state)] += count
        return tally

    def keep_call_back(self, key: str, result: InquiryResult, came_us: Micros) -> bool:
        """Put a call-back by for the dispatcher; False if there is one already."""
        row = {"request_key": key, "content": result.model_dump(mode="json", by_alias=True), "came_us": came_us}
        with writing(self._engine) as connection:
            return insert_new(connection, odr_call_back, row)

    def call_backs(self, keys: Sequence[str]) -> dict[str, InquiryResult]:
        """What was put by for some requests, by key."""
        if not (self._shared and keys):
            return {}
        table = odr_call_back.c
        with reading(self._engine) as connection:
            rows = connection.execute(select(table.request_key, table.content).where(table.request_key.in_(keys))).all()
        return {key: InquiryResult.model_validate(content) for key, content in rows}

    def note_sweep(self, at_us: Micros) -> None:
        """The dispatcher has looked through the queue (microseconds of model time)."""
        with writing(self._engine) as connection:
            found = connection.execute(update(dispatcher_sweep).values(swept_us=at_us))
            if found.rowcount == 0:
                connection.execute(insert(dispatcher_sweep), {"id": 1, "swept_us": at_us})

    def try_writing(self) -> None:
        """See whether the database takes writes. Raises SQLAlchemyError, soon, if not."""
        try_writing(self._engine)

    def swept_us(self) -> Micros | None:
        """When that was last; None if it never was."""
        with reading(self._engine) as connection:
            at_us: Micros | None = connection.scalar(select(dispatcher_sweep.c.swept_us))
        return at_us

    def _entries_of(self, wanted: Select[Any]) -> list[Entry]:
        with reading(self._engine) as connection:
            keys = connection.scalars(wanted).all()
        if self._shared:
            # What another process has found since about one that had ended is in none of this one's memory.
            for key in keys:
                self.forget(key)
        return [entry for key in keys if (entry := self.entry(key)) is not None]

    def _remember(self, entry: Entry) -> Entry:
        if self._shared and not entry.ended:
            return entry
        # Another thread may have read it too.
        self.forget(entry.filed.key)
        self._entries[entry.filed.key] = entry
        self._octets += entry.octets
        while self._octets > _KEPT:
            self.forget(next(iter(self._entries)))
        return entry


def _append(connection: Connection, key: str, ordinal: int, transition: Transition) -> None:
    row = transition._asdict() | {
        "request_key": key,
        "state": transition.state.value,
        "refusal": None if transition.refusal is None else transition.refusal._asdict(),
    }
    # A worker may have entered what it found of a call-back meanwhile.
    while not insert_new(connection, odr_transition, row | {"ordinal": ordinal}):
        ordinal += 1


def _transition(row: Any) -> Transition:
    return Transition(
        State(row.state),
        row.at_us,
        row.reason,
        row.meter_allowed,
        None if row.refusal is None else Refusal(**row.refusal),
        row.from_store,
        row.from_meter,
        row.meter_reads,
        row.octets,
        row.rule,
        row.field,
        row.value,
    )


def _request_row(filed: Filed) -> dict[str, Any]:
    return {
        "key": filed.key,
        "kind": filed.kind.value,
        "esiid": filed.esiid,
        "door": filed.door.value,
        "username": filed.username,
        "duns": filed.duns,
        "requester_class": filed.requester_class,
        "trans_id": filed.trans_id,
        "call_reference": filed.call_reference,
        "gap_start": filed.start,
        "gap_end": filed.end,
        "uncovered": filed.uncovered,
        "holes": filed.holes,
        "submitted_us": filed.submitted_us,
        "ror": filed.ror,
    }


def _filed(row: Any) -> Filed:
    return Filed(
        row.key,
        InquiryKind(row.kind),
        row.esiid,
        Door(row.door),
        row.username,
        row.duns,
        row.requester_class,
        row.trans_id,
        row.call_reference,
        row.gap_start,
        row.gap_end,
        None if row.uncovered is None else (row.uncovered[0], row.uncovered[1]),
        tuple((start, end) for start, end in row.holes),
        row.submitted_us,
        row.ror,
    )
