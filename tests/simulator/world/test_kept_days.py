"""Posted days that were kept are what making them anew leaves; what they would be a result of, and has changed, keeps them from being taken."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from headend.day.times import DailyTimes
from headend.ports import MeterKey
from meters.calendar import Seconds, day_of, day_start, epoch, seconds, to_us
from meters.device.meter import EmulatedMeter
from meters.faults.fault import Fault
from meters.faults.kinds import KINDS, FaultKind, Span
from meters.load.weather import Spell, SpellKind
from simulator.input.vee_preset import preset_of
from simulator.parties.sandbox import HEADEND_DATABASE, SMT_DATABASE, Sandbox, SandboxSettings
from simulator.parties.smt import FTPS_FOLDER
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.throttle.policy import preset
from simulator.world import kept_days as module
from simulator.world.fault_spec import Happenings
from simulator.world.history import Progress
from simulator.world.kept_days import KeptDays
from simulator.world.market_spec import MarketSpec
from simulator.world.meters import PremiseSpec, World, build
from tests.simulator.sandboxes import rig
from tests.simulator.world.beginning import EVERY, NOW, SEED, mark, the_world

#: Of the same hour: no start of a second is like another's.
LATER = NOW + 7 * 60 + 13


def begun(out: Path, now: Seconds, folder: Path | None, *, fresh: bool = False) -> Sandbox:
    return Sandbox(
        SandboxSettings(
            world=the_world(now),
            clock=Clock(ClockMode.MANUAL, to_us(now)),
            policy=preset("smt-today"),
            middle=FixedMiddle(18, 52),
            out=out,
            history=True,
            kept_days=folder,
            fresh=fresh,
        )
    )


def held(out: Path) -> dict[str, Any]:
    """All that databases and file site hold, but when they were opened and looked through."""
    of: dict[str, Any] = {}
    for path in sorted(one for one in out.rglob("*") if one.is_file()):
        name = path.relative_to(out).as_posix()
        if name in (HEADEND_DATABASE, SMT_DATABASE):
            with closing(sqlite3.connect(path)) as database:
                tables = {table for (table,) in database.execute("select name from sqlite_master where type = 'table'")}
                for table in tables - {"schema_version", "dispatcher_sweep"}:
                    of[f"{name} {table}"] = sorted(map(repr, database.execute(f"select * from {table}")))
        elif name.startswith(FTPS_FOLDER):
            of[name] = path.read_bytes()
    return of


async def test_a_start_on_kept_days_holds_and_goes_on_as_one_that_makes_them(tmp_path: Path) -> None:
    kept, outs = tmp_path / "days", [tmp_path / one for one in ("first", "second", "anew")]
    async with begun(outs[0], NOW, kept) as first:
        assert first.ready()["days"] == "made"
    async with begun(outs[1], LATER, kept) as second, begun(outs[2], LATER, None) as anew:
        assert [each.ready()["days"] for each in (second, anew)] == ["kept", "made"]
        assert held(outs[1]) == held(outs[2]) != held(outs[0])
        # The posting of today, with what the magic ESI IDs have done meanwhile.
        for each in (second, anew):
            await each.runtime.run_until(epoch("2026-08-13T09:00"))
            assert each.faults() == []
        assert held(outs[1]) == held(outs[2])
        assert len(list((outs[1] / FTPS_FOLDER).rglob("*20260813*.lse"))) > 0
    # One that was told to make them anew keeps them again.
    written = [(file.name, file.stat().st_mtime_ns) for file in kept.iterdir()]
    async with begun(outs[0], NOW, kept, fresh=True) as third:
        assert third.ready()["days"] == "made"
    assert [name for name, _ in written] == [file.name for file in kept.iterdir()]
    assert written != [(file.name, file.stat().st_mtime_ns) for file in kept.iterdir()]


async def test_a_sandbox_of_the_tests_finds_all_its_days_as_one_that_makes_them_leaves_them(tmp_path: Path) -> None:
    async with rig(tmp_path / "first", special=True, posted_days=2):
        pass
    async with rig(tmp_path / "second", special=True, posted_days=2) as found:
        settings = found.sandbox.settings
        async with Sandbox(replace(settings, out=tmp_path / "anew")) as anew:
            assert [one.ready()["days"] for one in (found.sandbox, anew)] == ["kept", "made"]
            assert held(settings.out) == held(tmp_path / "anew")


def faulty(first: Seconds, kind: FaultKind = FaultKind.OUTAGE, **params: float) -> World:
    """The world with a fault of the first meter."""
    world = the_world()
    meter = world.meters[0]
    one = Fault(kind, meter.identity.esiid, first, params=params)
    spoilt = EmulatedMeter(meter.identity, meter.premise, SEED, [*meter.faults, one], load=meter.load)
    return replace(world, gateways=({**world.gateways[0], 1: spoilt}, *world.gateways[1:]))


HEAT = (Spell(SpellKind.HEAT_WAVE, "NORTH", date(2026, 8, 8), date(2026, 8, 9), 4.0),)
#: By what a beginning can differ from that of ``mark``, so that its days do too.
OTHERS: dict[str, dict[str, Any]] = {
    "other homes": {"world": the_world(seed=4)},
    "a day more": {"world": the_world(posted_days=6)},
    "a day later": {"world": the_world(NOW + 24 * 3600), "now": NOW + 24 * 3600},
    "VEE at another time": {"times": DailyTimes(vee_at=time(2, 0))},
    "postings drawn by another seed": {"times": DailyTimes(seed=1)},
    "sweeps at other times": {"every_s": seconds(2 * 3600)},
    "another company's VEE": {"preset": preset_of("CENTERPOINT")},
    "fewer attempts": {"preset": replace(preset_of("ONCOR"), attempts=4)},
    "another throttle": {"policy": preset("fr-cr016-1")},
    "a heat wave": {"world": build(the_world().spec, SEED, NOW, Happenings(weather=HEAT))},
    "a power failure": {"world": faulty(epoch("2026-08-09T10:00"))},
    "a register that rolls over later": {"world": faulty(epoch("2026-08-12T19:00"), FaultKind.ROLLOVER, dials=5)},
    "another code": {"code": "another"},
    "another numpy": {"numpy": "0.0"},
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_days_are_a_result_of_gives_them_another_name(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, other = mark(), dict(OTHERS[what])
    if code := other.pop("code", None):
        monkeypatch.setattr(module, "code_of_houses", lambda: code)
    if number := other.pop("numpy", None):
        monkeypatch.setattr(module, "version_of", lambda package: f"{number} of {package}")
    assert None is not mark(**other) != usual


def test_what_begins_after_them_leaves_the_name_as_it_is() -> None:
    later = {"world": the_world(LATER), "now": LATER}
    assert mark(**later) == mark() == mark(world=faulty(epoch("2026-08-11T00:00")))


@pytest.mark.process
def test_another_process_gives_the_same_name() -> None:
    # What loads no kernel takes half as long.
    asked = "from meters.kernels.jit import as_written; from tests.simulator.world.beginning import mark\nwith as_written(): print(mark())"
    # In which a set has another order.
    other = os.environ | {"PYTHONHASHSEED": "1"}
    made = subprocess.run([sys.executable, "-c", asked], env=other, capture_output=True, text=True, check=True)
    assert made.stdout.strip() == mark()


#: Begins when the kept days are over.
CUT = day_start(day_of(NOW) - timedelta(days=1))
#: What a kind cannot be without.
PARAMS: dict[FaultKind, dict[str, float]] = {
    kind: {
        name: round((one.least + 3 * one.most) / 4)
        for name, one in KINDS[kind].parameters.items()
        if one.default is None
    }
    for kind in FaultKind
}


def shown_before(cut: Seconds, faults: list[Fault]) -> list[Any]:
    """All that a meter with these faults shows and tells until then."""
    world = the_world()
    one = world.meters[0]
    meter = EmulatedMeter(one.identity, one.premise, SEED, faults, load=one.load)
    first = world.spec.first_day
    shown: list[Any] = [meter.events(day_start(first), cut)]
    for at in range(day_start(first) + EVERY, cut, EVERY):
        day = day_of(seconds(at))
        window = meter.window(day_start(day), seconds(at), seconds(at))
        shown += [[column.tolist() for column in (window.delivered, window.received, window.status, window.present)]]
        shown += [meter.midnight(day, seconds(at)), meter.clock(seconds(at)), meter.identity_at(seconds(at))]
        shown += [meter.reply(seconds(at)), meter.registers(seconds(at))]
    return shown


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if KINDS[kind].span is not Span.ALWAYS])
def test_nothing_shows_before_it_begins_but_where_a_register_rolls_over(kind: FaultKind) -> None:
    fault = Fault(kind, the_world().meters[0].identity.esiid, CUT, params=PARAMS[kind])
    assert (shown_before(CUT, [fault]) == shown_before(CUT, [])) is (kind not in module._SHOWS)


def test_nothing_is_kept_of_a_testers_files_nor_where_no_day_is_over(tmp_path: Path) -> None:
    world = the_world()
    for spec in (
        world.spec.model_copy(update={"premises": (PremiseSpec(meter=1, replay=tmp_path / "usage.csv"),)}),
        world.spec.model_copy(update={"market": MarketSpec(registry=tmp_path)}),
        world.spec.model_copy(update={"first_day": day_of(NOW) - timedelta(days=2)}),
    ):
        assert mark(world=replace(world, spec=spec)) is None


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, KeptDays, Progress]:
    """A folder with databases and files of little, which is kept, and how far it goes."""
    out = tmp_path_factory.mktemp("out")
    for name in (HEADEND_DATABASE, SMT_DATABASE):
        with closing(sqlite3.connect(out / name)) as database, database:
            database.execute("create table one (number integer)")
            database.executemany("insert into one values (?)", [(number,) for number in range(100)])
    (out / FTPS_FOLDER / "oncor.headend").mkdir(parents=True)
    (out / FTPS_FOLDER / "oncor.headend" / "one.lse").write_text("100 lines\n" * 100)
    key = MeterKey("10443720000000001", "000000001")
    progress = Progress(date(2026, 8, 10), seconds(5), seconds(7), {key: seconds(3)}, {key: seconds(2)})
    kept = KeptDays(tmp_path_factory.mktemp("days") / "1.days", progress.day)
    kept.keep(out, NAMES, progress)
    return out, kept, progress


NAMES = (HEADEND_DATABASE, SMT_DATABASE, FTPS_FOLDER)


def test_what_is_kept_is_laid_as_it_was(small: tuple[Path, KeptDays, Progress], tmp_path: Path) -> None:
    out, kept, progress = small
    assert kept.lay(tmp_path) == progress
    assert held(tmp_path) == held(out)
    assert kept.file.parent.stat().st_mode & 0o077 == 0
    assert [path.name for path in kept.file.parent.iterdir()] == [kept.file.name]


def test_of_a_damaged_file_nothing_is_laid(small: tuple[Path, KeptDays, Progress], tmp_path: Path) -> None:
    out, kept, progress = small
    sound, bent, drawn = kept.file.read_bytes(), KeptDays(tmp_path / "bent.days", kept.until), random.Random(1)
    taken = 0
    for trial in range(400):
        octets = bytearray(sound)
        if trial % 4 == 0:
            del octets[drawn.randrange(len(octets)) :]
        else:
            octets[drawn.randrange(len(octets))] ^= 1 << drawn.randrange(8)
        bent.file.write_bytes(octets)
        to = tmp_path / f"{trial}"
        to.mkdir()
        # A flag or a date that nobody reads may be otherwise: then all that counts is as it was.
        if (read := bent.lay(to)) is None:
            assert [one for one in to.rglob("*") if one.is_file()] == []
        else:
            taken += 1
            assert (read, held(to)) == (progress, held(out))
    assert taken < 200


def test_no_file_is_laid_outside_the_folder(small: tuple[Path, KeptDays, Progress], tmp_path: Path) -> None:
    bent, out = KeptDays(tmp_path / "bent.days", small[1].until), tmp_path / "out"
    out.mkdir()
    for name in ("../outside", f"{tmp_path}/outside"):
        with zipfile.ZipFile(small[1].file) as sound, zipfile.ZipFile(bent.file, "w") as file:
            file.writestr("progress.json", sound.read("progress.json"))
            file.writestr(name, "nobody's")
        assert bent.lay(out) is None
        assert not (tmp_path / "outside").exists()


def test_what_was_used_least_lately_makes_room(
    small: tuple[Path, KeptDays, Progress], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _, progress = small
    kept = [KeptDays(tmp_path / "days" / f"{number}.days", progress.day) for number in range(3)]
    for age, one in zip((30, 20), kept, strict=False):
        one.keep(out, NAMES, progress)
        os.utime(one.file, (time_of(age), time_of(age)))
    assert kept[0].lay(tmp_path / "laid") == progress
    # What a start that was killed has left, long ago and just now.
    for name, age in ((".part-old", 100), (".part-new", 0)):
        (tmp_path / "days" / name).mkdir()
        os.utime(tmp_path / "days" / name, (time_of(age), time_of(age)))
    monkeypatch.setattr(module, "MOST_KEPT", kept[0].file.stat().st_size * 5 // 2)
    kept[2].keep(out, NAMES, progress)
    assert sorted(path.name for path in (tmp_path / "days").iterdir()) == [".part-new", "0.days", "2.days"]


def time_of(hours_ago: int) -> float:
    return datetime.now().timestamp() - hours_ago * 3600


def test_of_more_than_can_be_written_in_time_nothing_is_kept(
    small: tuple[Path, KeptDays, Progress], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _, progress = small
    kept = KeptDays(tmp_path / "1.days", progress.day)
    monkeypatch.setattr(module, "MOST", (out / HEADEND_DATABASE).stat().st_size)
    kept.keep(out, NAMES, progress)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_kept_it_is_said_in_a_line(
    small: tuple[Path, KeptDays, Progress], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _, progress = small
    (tmp_path / "file").write_text("")
    kept = KeptDays(tmp_path / "file" / "days" / "1.days", progress.day)
    kept.keep(out, NAMES, progress)
    assert kept.lay(tmp_path / "laid") is None
    said = capsys.readouterr().err
    assert said.startswith(f"days.unkept: {kept.file.parent}: The days that were made are not kept: ")
    assert said.count("\n") == 1
    assert said.endswith(" with --kept-days.\n")
