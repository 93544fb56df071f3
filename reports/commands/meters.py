"""``ami meters list``, ``show`` and ``truth``: who the meters are, a day of one, and what they measure. Imports nothing heavy before a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meters import SEED
from simulator.parties.options import FaultsOption, FleetSeedOption, MixOption, ReplayOption, TdspOption

if TYPE_CHECKING:
    from datetime import date as calendar_day

    from reports.meter.day import MeterDay

#: Rows of a list that nobody asked the whole of.
ROWS = 50
#: Characters of a line that is not a terminal's.
WIDTH = 110
_MOST = 100_000

_Count = Annotated[int, typer.Option(help="How many meters the fleet has.", min=1, max=_MOST)]


def list_meters(
    count: _Count = 40,
    tdsp: TdspOption = "ONCOR",
    seed: FleetSeedOption = SEED,
    mix: MixOption = "market",
    faults: FaultsOption = None,
    replay: ReplayOption = None,
    special: Annotated[bool, typer.Option("--special", help="The magic ESI IDs and what each does.")] = False,
    every: Annotated[bool, typer.Option("--all", help=f"Every meter, not the first {ROWS} alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every meter as one JSON document.")] = False,
) -> None:
    """List the meters of a fleet: the same that 'ami meters serve' with the same options serves."""
    from reports.meter.fleet_list import fleet_json, fleet_lines, special_json, special_lines
    from reports.terminal import console
    from simulator.world.fleet_options import fleet_of

    fleet = fleet_of(tdsp, count, seed, mix, faults, replay)
    if as_json:
        for piece in special_json(fleet) if special else fleet_json(fleet, mix):
            typer.echo(piece, nl=False)
        return
    to = console()
    for line in special_lines(fleet) if special else fleet_lines(fleet, fleet.count if every else ROWS):
        to.print(line, soft_wrap=True)


def show_meter(
    esiid: Annotated[str, typer.Argument(metavar="ESIID", help="An ESI ID of the fleet, or a magic one.")],
    date: Annotated[str, typer.Option(help="The operating day, 2026-08-12; yesterday unless given.")] = "",
    png: Annotated[Path | None, typer.Option(help="Draw the day into this file too.")] = None,
    meter: Annotated[str, typer.Option(help="Its number, where several meters are at one ESI ID.")] = "",
    count: _Count = 40,
    tdsp: Annotated[str, typer.Option(help="Whose meter; as the ESI ID begins unless given.")] = "",
    seed: FleetSeedOption = SEED,
    mix: MixOption = "market",
    faults: FaultsOption = None,
    replay: ReplayOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the day as JSON.")] = False,
) -> None:
    """Show a day of one meter as it holds it the next morning: registers, intervals, what is wrong, a chart."""
    import json

    from reports.meter.day import meter_day, to_json
    from simulator.errors import SimulatorError
    from simulator.world.fleet_options import fleet_of
    from simulator.world.roster import company_of, find

    # Spreadsheets leave digits alone behind an apostrophe.
    esiid = esiid.strip().lstrip("'")
    day = _day(date)
    company = company_of(esiid)
    if tdsp and tdsp.upper() != company.key:
        raise SimulatorError(
            "meters.esiid.company",
            f"This ESI ID is {company.name}'s ({company.key}), not {tdsp}'s.",
            esiid,
            "Leave --tdsp away.",
        )
    fleet = fleet_of(company.key, count, seed, mix, faults, replay)
    shown = meter_day(find(fleet, esiid, day, meter), fleet, day)
    if png is not None:
        from reports.meter.charts import write_png

        write_png(shown, png)
    if as_json:
        typer.echo(json.dumps(to_json(shown), ensure_ascii=True))
        return
    _print_day(shown, count, png)


def tell_truth(
    year: Annotated[int, typer.Option(help="The year that is measured.", min=2021, max=2099)] = 2025,
    seed: FleetSeedOption = SEED,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure the truth behind the meters: use, days, peaks, cars and roofs of Oncor's premises, beside published figures."""
    import json

    from reports.meter.truth_page import truth_json, truth_lines
    from reports.terminal import console

    page = truth_json(seed, year)
    if as_json:
        typer.echo(json.dumps(page, ensure_ascii=True))
        return
    to = console()
    for line in truth_lines(page):
        to.print(line, soft_wrap=True)


def _day(text: str) -> calendar_day:
    """The day that ``--date`` says. Raises SimulatorError for none that there is."""
    import time
    from datetime import date as calendar_day
    from datetime import timedelta

    from meters.calendar import LAST_DAY, day_of, seconds
    from meters.load.truth import ERA
    from simulator.errors import SimulatorError

    if not text:
        return day_of(seconds(time.time())) - timedelta(days=1)
    try:
        day = calendar_day.fromisoformat(text)
    except ValueError:
        raise SimulatorError(
            "meters.show.date", f"'{text}' is not a date.", "--date", "Write it as 2026-08-12."
        ) from None
    if not ERA <= day <= LAST_DAY:
        raise SimulatorError(
            "meters.show.date", f"There are no meters on {day}.", "--date", f"Give a date from {ERA} to {LAST_DAY}."
        )
    return day


def _print_day(shown: MeterDay, count: int, png: Path | None) -> None:
    import shutil
    import sys

    from reports.meter.day_text import day_lines
    from reports.terminal import console
    from reports.text_chart import glyphs_for

    to = console()
    width = shutil.get_terminal_size((WIDTH, 40)).columns
    for line in day_lines(shown, count, width, glyphs_for(sys.stdout.encoding)):
        to.print(line, soft_wrap=True)
    if png is not None:
        typer.echo(f"\npicture: {png}")
