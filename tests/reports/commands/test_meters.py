"""``ami meters list`` and ``ami meters show``: the same meters as are served, the figures, and what goes wrong in one line."""

from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

from meters import SEED
from meters.calendar import day_start, to_us
from meters.device.special import SPECIALS
from meters.errors import UserError
from meters.fleet import Fleet
from meters.load.premises import MARKET
from reports.commands.meters import ROWS
from simulator.parties.meters import MetersParty, MetersSettings
from simulator.runtime.clock import Clock, ClockMode
from tests.reports.meter.test_day import DAY, ONCOR, PLAIN, app, said
from tests.simulator.processes import done
from tests.test_front_door import HEAVY


def refused(*words: str) -> str:
    """The one line of a command that could not run."""
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, UserError), done.exception or done.output
    line = str(done.exception)
    assert "\n" not in line
    return line


def test_list_and_serve_speak_of_the_same_meters_at_the_same_places() -> None:
    # More than one gateway, and the magic ones behind them.
    fleet = Fleet(ONCOR, SEED, 250, (), MARKET)
    settings = MetersSettings(
        fleet, Clock(ClockMode.REAL, to_us(day_start(DAY))), "127.0.0.1", 0, special=True, events_to="", ledger=None
    )
    served = [meter.identity for meter in MetersParty(settings).meters]
    listed = json.loads(said("list", "--count", "250", "--json"))["meters"]
    magic = json.loads(said("list", "--count", "250", "--special", "--json"))["special"]
    assert [(one["esiid"], one["meter_number"]) for one in listed + magic] == [
        (interval.esiid, interval.meter_number) for interval in served
    ]
    assert [(one["gateway"], one["unit"]) for one in listed[246:248]] == [(1, 247), (2, 1)]
    assert [(one["gateway"], one["unit"]) for one in magic] == [(3, unit) for unit in range(1, len(SPECIALS) + 3)]


def test_list_prints_the_first_rows_and_says_how_many_more_there_are() -> None:
    lines = said("list", "--count", "1200").splitlines()
    assert len(lines) == 1 + ROWS + 1
    assert lines[-1] == "and 1,150 more: --all or --json lists them"
    assert len(said("list", "--count", "120", "--all").splitlines()) == 121


@pytest.mark.parametrize(
    ("words", "code", "mend"),
    [
        (("123",), "meters.esiid.unknown: 123:", "'ami meters list'"),
        (("",), "meters.esiid.unknown: ESIID:", "'ami meters list'"),
        (("١٠٤٤٣٧٢٩٩٤٧٩٩٢٢٧٩",), "meters.esiid.unknown:", "1044372 (ONCOR, 17 digits)"),
        (("10443729800000077",), "meters.esiid.unknown: 10443729800000077:", "'ami meters list --special'"),
        ((PLAIN, "--tdsp", "TNMP"), f"meters.esiid.company: {PLAIN}: This ESI ID is Oncor's", "Leave --tdsp away."),
        ((PLAIN, "--date", "12.8.2026"), "meters.show.date: --date: '12.8.2026' is not a date.", "2026-08-12"),
        ((PLAIN, "--date", "2019-12-31"), "meters.show.date: --date:", "from 2020-01-01 to 2099-12-31"),
        ((PLAIN, "--date", "2100-01-01"), "meters.show.date: --date:", "from 2020-01-01 to 2099-12-31"),
        ((PLAIN, "--png", "/nowhere/at/all.png"), "meters.show.png: /nowhere/at/all.png:", "Name another --png."),
        ((PLAIN, "--meter", "5"), "meters.meter_number.unknown: --meter:", "There is 989897999."),
        ((PLAIN, "--mix", "flats"), "meters.mix: --mix:", "homes, market"),
        ((PLAIN, "--faults", "/nowhere"), "faults.unreadable: /nowhere:", "cannot be read"),
        ((PLAIN, "--replay", "/nowhere"), "meters.replay.unreadable: /nowhere:", "cannot be read"),
    ],
)
def test_what_goes_wrong_is_one_line_with_a_mend(words: tuple[str, ...], code: str, mend: str) -> None:
    line = refused("show", *words)
    assert line.startswith(code)
    assert mend in line


@pytest.mark.process
def test_the_commands_import_nothing_heavy_before_they_run() -> None:
    asked = "import sys, reports.commands.meters\nprint(*sys.modules, sep='\\n')"
    loaded = done(sys.executable, "-c", asked).stdout.splitlines()
    assert {name.split(".")[0] for name in loaded} & HEAVY == set()


def test_a_day_is_shown_for_people_or_as_json() -> None:
    day = ("show", PLAIN, "--date", f"{DAY}")
    told, shown = json.loads(said(*day, "--json")), said(*day)
    assert (told["esiid"], told["date"], told["meter"]) == (PLAIN, f"{DAY}", 3)
    assert len(told["intervals"]) == 96
    # A spreadsheet's apostrophe is no part of an ESI ID, and the company is known by it.
    assert said("show", f" '{PLAIN}", "--date", f"{DAY}", "--tdsp", "oncor") == shown
    assert shown.startswith(f"ESI ID {PLAIN}, meter number {told['meter_number']}, Oncor, meter 3 of 40")
    assert "picture:" not in shown
