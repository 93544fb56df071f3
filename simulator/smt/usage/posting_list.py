"""Postings as a tester looks at them: each file's records, what they replaced, to whom they were delivered, when that was fetched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Engine, Row, exists, func, or_, select

from headend.lse.writer import RESULT_SUFFIX
from meters.calendar import Seconds, day_end, day_start
from simulator.smt.database.tables import file_event, interval_day, posting_refusal, usage_file
from simulator.smt.usage.postings import LOADED, Happened

_loaded, _refused, _event = interval_day.c, posting_refusal.c, file_event.c


@dataclass(frozen=True, slots=True)
class PostedRecord:
    """A record of a posted file. Empty, 0 or None is what it does not have."""

    esiid: str
    channel: str
    #: ISO date, as it was written.
    day: str
    code: str
    text: str = ""
    warnings: str = ""
    revision: int = 0
    #: The file that the revision before came by.
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A ROR's share of a posting. Instants in UTC epoch seconds."""

    username: str
    duns: str
    name: str
    laid_at: list[Seconds]
    fetched_at: list[Seconds]


@dataclass(frozen=True, slots=True)
class Posting:
    """A file that a TDSP posted, or whose upload was cut off. Instants in UTC epoch seconds."""

    at: Seconds
    username: str
    name: str
    cut: bool
    sha256: str
    octets: int
    #: Records by their result code.
    codes: dict[str, int]
    #: How many of them have warnings.
    warned: int
    #: The first of them; ``left_out``: how many more there are.
    records: list[PostedRecord]
    left_out: int
    deliveries: list[Delivery]
    #: When its name was given again with the same octets, and when its results were fetched.
    repeated_at: list[Seconds]
    results_fetched_at: list[Seconds]


@dataclass(frozen=True, slots=True)
class Tally:
    """What TDSPs posted on a day: files, those that were cut off, and records by result code."""

    files: int
    cut: int
    records: dict[str, int]


class PostingList:
    """Of one SMT. Every method is one transaction that reads; safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        """Look at an open database (``engine.open_database``)."""
        self._engine = engine

    def found(
        self, usernames: Sequence[str], day: date | None, esiid: str | None, most: int, skip: int, records: int
    ) -> list[Posting]:
        """Postings of users, the latest first. day: local, on which they came. esiid: those with a record of it, and its records alone. records: of each."""
        chosen = select(file_event).where(
            _event.happened.in_((Happened.POSTED.value, Happened.CUT.value)), _event.username.in_(usernames)
        )
        if day is not None:
            chosen = chosen.where(_event.at >= day_start(day), _event.at < day_end(day))
        if esiid is not None:
            loaded = exists().where(
                _loaded.file_name == _event.name, _loaded.loaded_at == _event.at, _loaded.esiid == esiid
            )
            mine = (_refused.username == _event.username, _refused.name == _event.name, _refused.at == _event.at)
            chosen = chosen.where(or_(loaded, exists().where(*mine, _refused.esiid == esiid)))
        chosen = chosen.order_by(_event.at.desc(), _event.username, _event.name.desc()).limit(most).offset(skip)
        with self._engine.connect() as connection:
            return [_posting(connection, row, esiid, records) for row in connection.execute(chosen).all()]

    def tally(self, day: date) -> Tally:
        """What was posted on a local day, in numbers."""
        begins, ends = day_start(day), day_end(day)
        happened = (
            select(_event.happened, func.count()).where(_event.at >= begins, _event.at < ends).group_by(_event.happened)
        )
        # Only of this day's files: whatever else was loaded then was loaded from an earlier one's.
        loaded = (
            select(func.count()).select_from(interval_day).where(_loaded.loaded_at >= begins, _loaded.loaded_at < ends)
        )
        refused = (
            select(_refused.code, func.count())
            .where(_refused.at >= begins, _refused.at < ends, _refused.code != LOADED)
            .group_by(_refused.code)
        )
        with self._engine.connect() as connection:
            of, records = (Counter(dict(map(tuple, connection.execute(one)))) for one in (happened, refused))
            if number := connection.scalar(loaded):
                records[LOADED] = number
        cut = of[Happened.CUT.value]
        return Tally(of[Happened.POSTED.value] + cut, cut, dict(records))


def _posting(connection: Connection, row: Row[tuple[object, ...]], esiid: str | None, records: int) -> Posting:
    loaded = [_loaded.file_name == row.name, _loaded.loaded_at == row.at]
    refused = [_refused.username == row.username, _refused.name == row.name, _refused.at == row.at]
    if esiid is not None:
        loaded.append(_loaded.esiid == esiid)
        refused.append(_refused.esiid == esiid)
    by_code = select(_refused.code, func.count()).where(*refused).group_by(_refused.code)
    codes: Counter[str] = Counter()
    for code, number in connection.execute(by_code):
        codes[code] = number
    warned = codes[LOADED]
    codes[LOADED] = connection.scalar(select(func.count()).select_from(interval_day).where(*loaded)) or 0
    before = interval_day.alias("before")
    of_doubts = select(_refused.esiid, _refused.channel, _refused.day, _refused.text).where(
        *refused, _refused.code == LOADED
    )
    first = (_refused.esiid, _refused.day, _refused.channel, _refused.text)
    doubts: dict[tuple[str, str, str], str] = {}
    for *about, text in connection.execute(of_doubts.order_by(*first).limit(records)):
        doubts[about[0], about[1], about[2]] = text
    same = (
        (before.c.esiid == _loaded.esiid)
        & (before.c.channel == _loaded.channel)
        & (before.c.day == _loaded.day)
        & (before.c.revision == _loaded.revision - 1)
    )
    of_loaded = (
        select(_loaded.esiid, _loaded.channel, _loaded.day, _loaded.revision, before.c.file_name)
        .select_from(interval_day.outerjoin(before, same))
        .where(*loaded)
        # What is doubtful comes first.
        .order_by(
            _loaded.esiid.not_in({esiid for esiid, _, _ in doubts}),
            _loaded.esiid,
            _loaded.day,
            _loaded.channel,
            _loaded.revision,
        )
        .limit(records)
    )
    told = [
        PostedRecord(*key, LOADED, "", doubts.get(key, ""), one.revision, one.file_name)
        for one in connection.execute(of_loaded)
        for key in [(one.esiid, str(one.channel), one.day.isoformat())]
    ]
    of_refused = (
        select(_refused.esiid, _refused.channel, _refused.day, _refused.code, _refused.text)
        .where(*refused, _refused.code != LOADED)
        .order_by(*first)
        .limit(records)
    )
    # What was refused is looked for first.
    turned_away = [PostedRecord(*one, doubts.get(tuple(one[:3]), "")) for one in connection.execute(of_refused)]
    told = [*turned_away, *told][:records]
    shares = select(usage_file).where(usage_file.c.source == row.name, usage_file.c.owed_at == row.at)
    deliveries = [
        Delivery(
            one.username,
            one.duns,
            one.name,
            _when(connection, Happened.LAID, one.username, one.name),
            _when(connection, Happened.FETCHED, one.username, one.name),
        )
        for one in connection.execute(shares.order_by(usage_file.c.username, usage_file.c.name)).all()
    ]
    return Posting(
        row.at,
        row.username,
        row.name,
        row.happened == Happened.CUT.value,
        row.sha256,
        row.octets,
        {code: number for code, number in sorted(codes.items()) if number},
        warned,
        told,
        codes.total() - len(told),
        deliveries,
        _when(connection, Happened.REPEATED, row.username, row.name),
        _when(connection, Happened.FETCHED, row.username, row.name + RESULT_SUFFIX),
    )


def _when(connection: Connection, happened: Happened, username: str, name: str) -> list[Seconds]:
    """The latest hundred instants at which something happened to a file, ascending."""
    mine = (_event.username == username, _event.name == name, _event.happened == happened.value)
    return sorted(connection.scalars(select(_event.at).where(*mine).order_by(_event.at.desc()).limit(100)))
