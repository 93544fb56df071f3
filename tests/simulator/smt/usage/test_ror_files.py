"""What SMT lays into RORs' folders of a posted file: their own records by the day, whole, once, whatever crashes."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update

from headend import boundaries
from headend.lse.writer import RESULT_SUFFIX, LseRecord, dumps, file_name, read
from headend.vee.quality import Channel
from meters.calendar import epoch, to_us
from simulator.parties.smt import FTPS_FOLDER, AloneSettings, smt_alone
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.journal import RunJournal
from simulator.runtime.serving import bind
from simulator.smt.database.engine import open_database
from simulator.smt.database.tables import usage_file
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.party import SmtConfig
from simulator.smt.registry.records import RorPeriod, UsageFormat
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.policy import preset
from simulator.smt.usage import store as store_module
from simulator.smt.usage.postings import Happened, Postings
from simulator.smt.usage.ror_files import UsageFiles, usage_file_name
from simulator.smt.usage.site.folders import Homes
from simulator.smt.usage.store import VeeStore
from tests.simulator.processes import Forked, ending, patience
from tests.simulator.smt.rig import FOREIGN, NEIGHBOUR, PLAIN, RIVAL_DUNS, ROR_DUNS, TDSP_DUNS, Rig, record, registry

NOW = epoch("2026-08-12T07:30")
BEFORE, SWITCH = date(2026, 8, 10), date(2026, 8, 11)
POSTED = file_name(TDSP_DUNS, NOW, 7)
#: Who serves whom, and one record that is not loaded.
RECORDS = [
    record(PLAIN, BEFORE, NOW),
    record(PLAIN, SWITCH, NOW),
    record(NEIGHBOUR, SWITCH, NOW),
    record(FOREIGN, SWITCH, NOW),
    record(NEIGHBOUR, date(2026, 8, 12), NOW),
]
OWN, RIVALS = [(PLAIN, BEFORE), (NEIGHBOUR, SWITCH)], [(PLAIN, SWITCH), (FOREIGN, SWITCH)]
Content = dict[str, bytes]


def switched(own: UsageFormat = UsageFormat.LSE) -> Registry:
    """PLAIN goes from one retailer to the other; the first gets its files as told."""
    was = registry().records
    periods = [period for period in was.periods if period.esiid != PLAIN]
    periods += [RorPeriod(PLAIN, ROR_DUNS, date(2025, 1, 1), BEFORE), RorPeriod(PLAIN, RIVAL_DUNS, SWITCH)]
    entities = [replace(entity, usage_files=own) if entity.duns == ROR_DUNS else entity for entity in was.entities]
    return Registry(was.points, entities, periods, was.users)


class Folders:
    """Homes of a file site on a disk, each file whole or not there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.full = ""

    def put(self, username: str, name: str, content: bytes) -> None:
        if username == self.full:
            raise OSError("no space")
        (self.root / username).mkdir(parents=True, exist_ok=True)
        part = self.root / username / f"{name}.part"
        part.write_bytes(content)
        part.replace(part.with_name(name))

    add = lay = put

    def has(self, username: str, name: str) -> bool:
        return (self.root / username / name).exists()

    def of(self, username: str) -> Content:
        return {path.name: path.read_bytes() for path in sorted((self.root / username).glob("*"))}


async def taken_in(rig: Rig, folder: Path, name: str, records: list[LseRecord]) -> None:
    (folder / name).write_bytes(dumps(records))
    rig.smt.intake.on_file("wires", folder / name)
    await rig.wait(0)


async def posted(folder: Path, records: Registry, *files: tuple[str, list[LseRecord]]) -> Folders:
    """Post files, one after the other in one instant."""
    folders = Folders(folder / "ftps")
    async with Rig(folder, now="2026-08-12T07:30", registered=records, folders=folders) as rig:
        for name, content in files:
            await taken_in(rig, folder, name, content)
    return folders


def held(name: str, content: bytes) -> list[tuple[str, date]]:
    parsed = read(content, name)
    assert not parsed.findings
    return [(one.esiid, one.day) for one in parsed.records]


async def test_each_ror_gets_the_loaded_records_of_its_own_days(tmp_path: Path) -> None:
    folders = await posted(tmp_path, switched(), (POSTED, RECORDS))
    [(name, own)], [(_, rivals)] = folders.of("lonestar.api").items(), folders.of("rival.api").items()
    assert name == f"{TDSP_DUNS}IntervalData20260812073000001.lse"
    assert sorted(held(name, own)) == sorted(OWN)
    assert sorted(held(name, rivals)) == sorted(RIVALS)
    # As posted, to the interval.
    assert dumps([RECORDS[0]]) in own


async def test_a_file_comes_in_the_format_that_the_entity_is_set_to(tmp_path: Path) -> None:
    folders = await posted(tmp_path, switched(UsageFormat.CSV), (POSTED, RECORDS))
    [(name, own)] = folders.of("lonestar.api").items()
    assert name == f"IntervalMeterUsage20260812073000-{TDSP_DUNS}-001.CSV"
    first, *rows = own.decode().splitlines()
    assert first.startswith("ESIID,USAGE_DATE,")
    # A delivery has no apostrophe before the ESI ID.
    assert rows[0] == f"{PLAIN},08/10/2026,08/12/2026 07:30:00, 00:00, 00:15,0.100,A,Consumption"
    assert {row.split(",")[0] for row in rows} == {PLAIN, NEIGHBOUR}
    assert len(rows) == 2 * 96


async def test_an_entity_set_to_none_gets_none(tmp_path: Path) -> None:
    folders = await posted(tmp_path, switched(UsageFormat.NONE), (POSTED, RECORDS))
    assert folders.of("lonestar.api") == {}
    assert len(folders.of("rival.api")) == 1


async def test_files_of_one_second_and_a_second_posting_are_files_of_their_own(tmp_path: Path) -> None:
    corrected = [replace(RECORDS[0], posted_at=NOW + 1)]
    other = file_name(TDSP_DUNS, NOW, 8)
    folders = await posted(tmp_path, switched(), (POSTED, RECORDS[:1]), (POSTED, corrected), (other, RECORDS[2:3]))
    files = folders.of("lonestar.api")
    assert list(files) == [f"{TDSP_DUNS}IntervalData20260812073000{counter:03d}.lse" for counter in (1, 2, 3)]
    assert list(files.values()) == [dumps(RECORDS[:1]), dumps(corrected), dumps(RECORDS[2:3])]


async def test_a_file_that_could_not_be_laid_is_laid_with_the_next_posting(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "ftps")
    async with Rig(tmp_path, now="2026-08-12T07:30", registered=switched(), folders=folders) as rig:
        folders.full = "lonestar.api"
        await taken_in(rig, tmp_path, POSTED, RECORDS)
        assert [one["reason"] for one in rig.notes.of("usage file owed")] == ["OSError"]
        assert rig.notes.of("intake")[0]["results"] == {"00": 4, "04": 1}
        folders.full = ""
        await rig.wait(60)
        await taken_in(rig, tmp_path, file_name(TDSP_DUNS, NOW + 60, 1), [record(NEIGHBOUR, BEFORE, NOW)])
        laid = [one["duns"] for one in rig.notes.of("usage file")]
        assert laid == [RIVAL_DUNS, ROR_DUNS, ROR_DUNS]
    files = folders.of("lonestar.api")
    assert [sorted(held(name, content)) for name, content in files.items()] == [sorted(OWN), [(NEIGHBOUR, BEFORE)]]
    assert len(folders.of("rival.api")) == 1


def die(folder: Path, crash_at: str) -> None:
    """Take a file in, in a process of its own, and be killed on the way."""
    os.environ |= {"AMI_TEST_BUILD": "1", "AMI_CRASH_AT": crash_at}
    boundaries.arm()
    asyncio.run(posted(folder, switched(), (POSTED, RECORDS)))


@pytest.mark.process
@pytest.mark.parametrize(
    ("crash_at", "there"), [("intake.loaded:1", 0), ("usage_file.laid:1", 1), ("usage_file.laid:2", 2)]
)
async def test_killed_on_the_way_every_file_is_made_up_for_once(crash_at: str, there: int, tmp_path: Path) -> None:
    whole = await posted(tmp_path, switched(), (POSTED, RECORDS))
    killed = tmp_path / "killed"
    killed.mkdir()
    process = Forked(die, killed, crash_at)
    with ending(process):
        assert process.wait(patience()) == -signal.SIGKILL
    folders = Folders(killed / "ftps")
    assert sum(len(folders.of(ror)) for ror in ("lonestar.api", "rival.api")) == there
    async with Rig(killed, now="2026-08-12T09:00", registered=switched(), folders=folders) as rig:
        rig.smt.intake.make_up()
        await rig.wait(0)
        assert len(rig.notes.of("usage file")) == (2 if there < 2 else 1)
        rig.smt.intake.make_up()
        await rig.wait(0)
        assert len(rig.notes.of("usage file")) == (2 if there < 2 else 1)
    for ror in ("lonestar.api", "rival.api"):
        assert folders.of(ror) == whole.of(ror)


def die_among_the_records(folder: Path) -> None:
    store_module._AT_ONCE = 1
    die(folder, "intake.staged:2")


@pytest.mark.process
async def test_killed_among_its_records_a_file_is_loaded_anew_as_if_nothing_had_been(tmp_path: Path) -> None:
    whole = await posted(tmp_path, switched(), (POSTED, RECORDS))
    killed = tmp_path / "killed"
    killed.mkdir()
    process = Forked(die_among_the_records, killed)
    with ending(process):
        assert process.wait(patience()) == -signal.SIGKILL
    folders = Folders(killed / "ftps")
    async with Rig(killed, now="2026-08-12T09:00", registered=switched(), folders=folders) as rig:
        assert not rig.smt.store.has_file(POSTED)
        assert rig.smt.store.newest_day() is None
        await taken_in(rig, killed, POSTED, RECORDS)
        assert rig.notes.of("intake")[0]["results"] == {"00": 4, "04": 1}
        assert [one.revision for one in rig.smt.store.range(PLAIN, Channel.LOAD, BEFORE, SWITCH, "A")] == [1, 1]
    for ror in ("lonestar.api", "rival.api"):
        assert list(folders.of(ror).values()) == list(whole.of(ror).values())


async def test_an_smt_that_comes_up_lays_what_is_owed_and_answers_what_it_had_loaded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'smt.sqlite'}"
    engine = open_database(url)
    store = VeeStore(engine)
    loading = store.prepared(RECORDS[:4], NOW, POSTED, switched().ror_of_record)
    store.show(loading)
    UsageFiles(engine, store, switched(), Postings(engine, lambda: NOW)).owe(
        [ROR_DUNS, RIVAL_DUNS], TDSP_DUNS, POSTED, loading.posting, NOW
    )
    # A correction that came later does not make of what was loaded something that was not.
    store.load([replace(RECORDS[0], posted_at=NOW + 60)], NOW + 60, "later.lse")
    engine.dispose()
    home = tmp_path / FTPS_FOLDER / "wires"
    home.mkdir(parents=True)
    (home / POSTED).write_bytes(dumps(RECORDS))
    config = SmtConfig(seed=1, policy=preset("smt-today"), database_url=url)
    settings = AloneSettings(config, switched(), FixedMiddle(10, 60), tmp_path)
    clock = Clock(ClockMode.SCALED, to_us(epoch("2026-08-12T09:00")), 60.0)
    with bind("127.0.0.1", 0, "SMT") as bound:
        async with smt_alone(settings, clock, bound, RunJournal(100)) as party, asyncio.timeout(10):
            serving = asyncio.create_task(party.runtime.serve())
            laid, result = party.homes.home("rival.api"), home / f"{POSTED}{RESULT_SUFFIX}"
            while not (result.exists() and list(laid.glob("*.lse"))):
                await asyncio.sleep(0.01)
            serving.cancel()
            assert [path.name for path in laid.glob("*.lse")] == [f"{TDSP_DUNS}IntervalData20260812073000001.lse"]
            codes = [line.split(",")[4] for line in result.read_text().splitlines()[1:]]
            assert codes == ["00", "00", "00", "00", "04"]
    reopened = open_database(url)
    assert [len(VeeStore(reopened).posted(POSTED, 0, duns)) for duns in (ROR_DUNS, RIVAL_DUNS)] == [2, 2]
    assert VeeStore(reopened).posted(POSTED, 1, ROR_DUNS) == []
    reopened.dispose()


def owed(folder: Path, records: Registry, name: str = POSTED) -> tuple[Engine, VeeStore, UsageFiles]:
    """A posting that is loaded, with nothing laid."""
    engine = open_database(f"sqlite:///{folder / 'smt.sqlite'}")
    store = VeeStore(engine)
    files = UsageFiles(engine, store, records, Postings(engine, lambda: NOW))
    loading = store.prepared(RECORDS[:4], NOW, name, records.ror_of_record)
    store.show(loading)
    files.owe(sorted({ror for ror in loading.rors if ror}), TDSP_DUNS, name, loading.posting, NOW)
    return engine, store, files


def test_a_file_of_the_rors_own_is_left_alone_and_the_next_name_taken(tmp_path: Path) -> None:
    engine, _, files = owed(tmp_path, switched())
    homes = Homes(tmp_path / "ftps", switched().users)
    stem = f"{TDSP_DUNS}IntervalData20260812073000"
    mine, folder = homes.home("lonestar.api") / f"{stem}001.lse", homes.home("rival.api") / f"{stem}001.lse"
    mine.write_bytes(b"my own")
    folder.mkdir()
    laid = files.lay(homes, NOW)
    assert [(one.name, one.trouble) for one in laid] == [(f"{stem}002.lse", "")] * 2
    assert mine.read_bytes() == b"my own"
    assert sorted(path.name for path in homes.home("lonestar.api").iterdir()) == [f"{stem}001.lse", f"{stem}002.lse"]
    # Laid, and killed before that was noted: the same file is the same file.
    with engine.begin() as connection:
        connection.execute(update(usage_file).values(laid_at=None))
    assert [one.name for one in files.lay(homes, NOW)] == [f"{stem}002.lse"] * 2
    engine.dispose()


def test_a_delivery_that_vanished_is_laid_again_until_its_ror_has_fetched_it(tmp_path: Path) -> None:
    engine, _, files = owed(tmp_path, switched())
    homes = Homes(tmp_path / "ftps", switched().users)
    name = files.lay(homes, NOW)[0].name
    mine, rivals = homes.home("lonestar.api") / name, homes.home("rival.api") / name
    content = mine.read_bytes()
    assert files.lay(homes, NOW) == []
    for path in (mine, rivals):
        path.unlink()
    Postings(engine, lambda: NOW).note(Happened.FETCHED, "rival.api", name, "", 0)
    assert [(one.username, one.name, one.trouble) for one in files.lay(homes, NOW)] == [("lonestar.api", name, "")]
    assert (mine.read_bytes(), rivals.exists()) == (content, False)
    engine.dispose()


def test_what_was_owed_goes_to_the_ror_of_the_day_it_was_loaded_for(tmp_path: Path) -> None:
    engine, store, _ = owed(tmp_path, switched())
    laid = UsageFiles(engine, store, registry(), Postings(engine, lambda: NOW)).lay(
        Homes(tmp_path / "ftps", switched().users), NOW
    )
    assert [(one.duns, one.records) for one in laid] == [(ROR_DUNS, 2), (RIVAL_DUNS, 2)]
    engine.dispose()


@pytest.mark.parametrize("form", [UsageFormat.LSE, UsageFormat.CSV])
def test_a_second_that_has_all_its_names_goes_on_in_the_next(tmp_path: Path, form: UsageFormat) -> None:
    engine, _, files = owed(tmp_path, switched(form))
    with engine.begin() as connection:
        row = connection.execute(select(usage_file).where(usage_file.c.username == "lonestar.api")).one()._asdict()
        names = [usage_file_name(form, TDSP_DUNS, NOW, counter) for counter in range(2, 1000)]
        connection.execute(insert(usage_file), [row | {"name": name, "laid_at": NOW} for name in names])
    files.owe([ROR_DUNS], TDSP_DUNS, "another.lse", 0, NOW)
    with engine.connect() as connection:
        name = connection.scalar(select(usage_file.c.name).where(usage_file.c.source == "another.lse"))
    assert name == usage_file_name(form, TDSP_DUNS, NOW + 1, 1)
    engine.dispose()
