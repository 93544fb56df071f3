"""A head-end's store from before a row had its meter's number: it opens, and goes on with what it holds, on either database."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from headend.day.validated import validate_partition
from headend.ports import MeterAddress, MeterKey, MeterReading, MeterRecords, RegisterSnapshot
from headend.service.batch_wire import report_of
from headend.store.migrate import bring_up_to_date, versions_table
from headend.store.migrations import MIGRATIONS
from headend.store.store import HeadEndStore
from headend.store.told import MeterTold
from headend.vee.batch import run_batch
from headend.vee.preset import Preset
from meters.calendar import INTERVAL_S, Seconds, day_end, day_start, seconds
from meters.events import EventKind
from tests.schema_shape import shape
from tests.simulator.smt.postgres import DATABASES

ESIID = "10443720000000017"
FIRST, SECOND = MeterKey(ESIID, "900000017"), MeterKey(ESIID, "900000018")
RECORDS = MeterRecords(
    [MeterAddress(*meter, "127.0.0.1", 1, unit, 1, 0) for unit, meter in enumerate((FIRST, SECOND), 1)]
)
DAY = date(2026, 8, 12)
BEGINS, ENDS = day_start(DAY), day_end(DAY)
NOON = day_start(DAY) + 48 * INTERVAL_S
#: As the first version had them.
TABLES = """
CREATE TABLE interval_day (
    esiid VARCHAR(22) NOT NULL, channel SMALLINT NOT NULL, day_start BIGINT NOT NULL, wh {blob} NOT NULL, status {blob} NOT NULL,
    collected_at {blob} NOT NULL, flags {blob} NOT NULL, PRIMARY KEY (esiid, channel, day_start));
CREATE TABLE midnight_register (
    esiid VARCHAR(22) NOT NULL, day_start BIGINT NOT NULL, delivered_wh BIGINT NOT NULL, received_wh BIGINT NOT NULL,
    PRIMARY KEY (esiid, day_start));
CREATE TABLE vee_day (
    esiid VARCHAR(22) NOT NULL, channel SMALLINT NOT NULL, day_start BIGINT NOT NULL, revision INTEGER NOT NULL,
    wh {blob} NOT NULL, status {blob} NOT NULL, method {blob} NOT NULL, flags {blob} NOT NULL, start_wh BIGINT, stop_wh BIGINT,
    PRIMARY KEY (esiid, channel, day_start, revision));
CREATE TABLE posted_file (
    name VARCHAR(64) NOT NULL, operating_day DATE NOT NULL, posted_at BIGINT NOT NULL, records INTEGER NOT NULL,
    PRIMARY KEY (name));
CREATE TABLE meter_event (
    esiid VARCHAR(22) NOT NULL, at BIGINT NOT NULL, kind VARCHAR(16) NOT NULL, meter_number VARCHAR(12) NOT NULL,
    received_at BIGINT NOT NULL, PRIMARY KEY (esiid, at, kind, meter_number));
CREATE TABLE meter_answer (esiid VARCHAR(22) NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (esiid, at))
"""


def reading(meter: MeterKey, start: Seconds, count: int, wh: int) -> MeterReading:
    values = np.full(count, wh, np.int32)
    return MeterReading(*meter, start, values, 0 * values, values.astype(np.uint16) * 0, values > 0, start, 0, 0, 0)


@pytest.mark.parametrize("kind", DATABASES)
def test_a_store_of_the_first_version_goes_on_where_it_was_and_takes_a_second_meter(
    kind: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    folder = tmp_path_factory.mktemp("stores")
    older, fresh = (
        f"sqlite:///{folder / name}" if kind == "sqlite" else request.getfixturevalue("new_database")()
        for name in ("older.sqlite", "fresh.sqlite")
    )
    fill(older, "BLOB" if kind == "sqlite" else "BYTEA")
    HeadEndStore(fresh).close()
    request.addfinalizer((store := HeadEndStore(older, RECORDS)).close)
    shapes = [shape(sa.create_engine(url, poolclass=sa.NullPool)) for url in (older, fresh)]
    assert shapes[0] == shapes[1]

    # What was there is of the first meter, and goes on with what it tells now.
    reach = store.collected.reach([ESIID], BEGINS)
    assert reach.intervals == {FIRST: NOON, SECOND: BEGINS}
    assert reach.midnights == {FIRST: BEGINS, SECOND: BEGINS - 1}
    assert store.events.latest() == ({FIRST: NOON - 60}, {}, {FIRST: NOON - 30})
    assert len(store.window(ESIID, BEGINS, NOON).ends) == 0
    store.keep([reading(SECOND, BEGINS, 48, 7)], NOON, "sweep")
    assert store.window(ESIID, BEGINS, ENDS).wh.tolist() == [107] * 48
    store.keep([reading(FIRST, NOON, 48, 200), reading(SECOND, NOON, 48, 7)], ENDS, "sweep")
    store.keep_snapshots(
        [
            RegisterSnapshot(*FIRST, ENDS, 5_000 + 48 * 300, 0),
            *(RegisterSnapshot(*SECOND, at, wh, 0) for at, wh in ((BEGINS, 40), (ENDS, 40 + 96 * 7))),
        ]
    )
    assert store.window(ESIID, BEGINS, ENDS).wh.tolist() == [107] * 48 + [207] * 48
    assert store.reaches_to(ESIID, BEGINS) == ENDS
    batch = run_batch(store.day([ESIID], DAY))
    assert (batch.meters, len(batch.findings)) == ((FIRST, SECOND), 0)
    # What is found of a day takes the place of what was found before; of the day after, both meters lack intervals and registers of both channels.
    after = DAY + timedelta(days=1)
    store.vee.keep(run_batch(store.day([ESIID], after)))
    count, found = store.findings.of_day(after)
    assert (count, {one.meter for one in found}) == (2 * 2 * 2, {FIRST, SECOND})
    count, missing = store.findings.of_day(after, ESIID, "interval.missing", skip=1, most=2)
    assert (count, [(one.meter, one.finding.evidence["channel"]) for one in missing]) == (4, [(FIRST, 4), (SECOND, 1)])
    store.keep([reading(one, ENDS, 96, 100) for one in (FIRST, SECOND)], ENDS, "sweep")
    store.vee.keep(run_batch(store.day([ESIID], after)))
    assert store.findings.of_day(after, rule="interval.missing") == (0, [])
    assert store.findings.of_day(DAY) == (0, [])
    store.told.keep([(FIRST, MeterTold(seconds(7), 1))], NOON)
    assert store.told.of([ESIID], DAY) == {FIRST: MeterTold(seconds(7), 1)}
    told = store.events.over([ESIID], BEGINS, ENDS)
    assert told == store.events.over([ESIID], ENDS, ENDS + 1)
    assert told == {FIRST: [(NOON - 60, EventKind.LAST_GASP), (NOON - 30, None)]}
    # Of the day before, the first meter's is there.
    assert store.vee.keep(batch) == (FIRST, SECOND)
    history = store.vee.history([FIRST, SECOND], DAY, 90)
    assert [(held.wh[0, 0], held.status[:, 0].tolist()) for held in history.delivered] == [(90, [0, 2])]


@pytest.mark.parametrize("kind", DATABASES)
def test_the_runs_of_an_older_store_are_partitions_and_what_was_under_way_goes_on(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    older = f"sqlite:///{tmp_path / 'older.sqlite'}" if kind == "sqlite" else request.getfixturevalue("new_database")()
    fill(older, "BLOB" if kind == "sqlite" else "BYTEA")
    report = '{"meters": 2, "actual": 96, "estimated": 96, "findings": {}, "offenders": [], "duration_s": 0}'
    runs = [
        # Posted, and corrected by a file that has no name yet; named in one file; being cut into two; not named.
        (date(2026, 8, 9), 1, BEGINS, ENDS, ""),
        (date(2026, 8, 9), 2, ENDS, None, f"{ESIID} 2"),
        (date(2026, 8, 10), 1, BEGINS, None, ""),
        (date(2026, 8, 11), 1, BEGINS, None, ""),
        (date(2026, 8, 12), 1, BEGINS, None, ""),
    ]
    begun = [("a", 9, 1), ("b1", 10, 1), ("b2", 10, 1), ("c", 11, 1), ("d", 11, 2)]
    metadata = sa.MetaData()
    with sa.create_engine(older, poolclass=sa.NullPool).begin() as connection:
        bring_up_to_date(connection, metadata, versions_table(metadata), MIGRATIONS[:8], "interval_day")
        for day, run, began_at, posted_at, esiids in runs:
            row = {"day": day, "run": run, "began": began_at, "posted": posted_at, "esiids": esiids, "report": report}
            connection.execute(
                sa.text("INSERT INTO vee_run VALUES (:day, :run, :began, :posted, :esiids, :report)"), row
            )
        for name, of_month, part in begun:
            row = {"name": name, "day": date(2026, 8, of_month), "at": NOON, "part": part}
            connection.execute(sa.text("INSERT INTO posting_begun VALUES (:name, :day, :at, 1, :part)"), row)
    request.addfinalizer((store := HeadEndStore(older, RECORDS)).close)
    found = {day: store.partitions.of_day(date(2026, 8, day)) for day in (9, 10, 11, 12)}
    assert {
        day: [(one.run, one.part, one.state, one.name, one.among([ESIID])) for one in of_day]
        for day, of_day in found.items()
    } == {
        9: [(1, 1, "posted", "a", [ESIID]), (2, 1, "validated", "", [ESIID, "2"])],
        10: [(1, 1, "named", "b2", [ESIID])],
        11: [],
        12: [],
    }
    assert [one.created_at for one in found[10]] == [NOON]
    assert report_of(date(2026, 8, 9), found[9], []).runs[0].actualPercent == 50
    assert store.partitions.unposted_days() == [date(2026, 8, 9), date(2026, 8, 10)]
    # Of a day whose profiles are not known everybody is looked at, and what comes late is kept.
    (pending,) = store.partitions.again(date(2026, 8, 10), [ESIID], ENDS)
    assert validate_partition(store, [ESIID], pending, Preset(), lambda: ENDS)["meters"] == 2


def fill(url: str, blob: str) -> None:
    """Half a day collected of one meter, the day before validated, a last gasp that an answer overruled."""
    known = np.arange(96) < 48
    half = {
        "wh": np.where(known, 100, 0).astype("<i4").tobytes(),
        "status": bytes(2 * 96),
        "collected_at": np.where(known, NOON, 0).astype("<i8").tobytes(),
        "flags": np.where(known, 3, 0).astype(np.uint8).tobytes(),
    }
    validated = {"wh": np.full(96, 90, "<i4").tobytes(), "status": bytes(96), "method": bytes(96), "flags": bytes(96)}
    day_before = BEGINS - 96 * INTERVAL_S
    rows: dict[str, list[dict[str, Any]]] = {
        "interval_day": [
            {"esiid": ESIID, "channel": 4, "day_start": BEGINS} | half,
            {"esiid": ESIID, "channel": 1, "day_start": BEGINS} | half | {"wh": bytes(4 * 96)},
        ],
        "vee_day": [
            {"esiid": ESIID, "channel": channel, "day_start": day_before, "revision": 1} | validated
            for channel in (1, 4)
        ],
        "midnight_register": [{"esiid": ESIID, "day_start": BEGINS, "delivered_wh": 5_000, "received_wh": 0}],
        "meter_event": [
            {"esiid": ESIID, "at": NOON - 60, "kind": "last_gasp", "meter_number": FIRST.number, "received_at": NOON}
        ],
        "meter_answer": [{"esiid": ESIID, "at": NOON - 30}],
    }
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        for statement in TABLES.replace("{blob}", blob).split(";\n"):
            connection.execute(sa.text(statement))
        for table, held in rows.items():
            names = ", ".join(held[0])
            values = ", ".join(f":{name}" for name in held[0])
            connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), held)
