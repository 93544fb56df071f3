"""``ami market-day``: a whole market's day, truth to published files. Imports nothing heavy before a command runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meters import SEED
from simulator.parties.options import FleetSeedOption

if TYPE_CHECKING:
    from datetime import date

    from headend.market.plan import Task
    from headend.vee.preset import Preset

#: What is said when a signal ended it.
STOPPED = "market.interrupted: Stopped. What is published stays: run the same again to go on from here."
#: And whenever something is lost.
_STAYS = "what is published stays"
#: What computes a partition.
_CODE = "headend.market.partition"


def market_day(
    meters: Annotated[
        int,
        typer.Option(min=1, max=100_000_000, help="How many meters; of several companies in their real proportions."),
    ] = 8_000_000,
    tdsp: Annotated[
        list[str] | None, typer.Option(help="Whose meters; again for another company.", show_default="all five")
    ] = None,
    day: Annotated[str, typer.Option("--date", help="The operating day.")] = "2026-07-15",
    preset: Annotated[
        str, typer.Option(help="A preset of VEE: a file, or a shipped one's name.", show_default="each company's own")
    ] = "",
    faults: Annotated[
        Path | None,
        typer.Option(help="A YAML file of faults, weather and look-alikes.", show_default="those of an ordinary day"),
    ] = None,
    seed: FleetSeedOption = SEED,
    lse: Annotated[bool, typer.Option("--lse", help="LSE files too: one of each published file.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes to run in.")] = os.cpu_count() or 1,
    dask: Annotated[str, typer.Option(help="A Dask scheduler's address instead, such as tcp://host:8786.")] = "",
    out: Annotated[Path, typer.Option(help="Folder of what is published.")] = Path("ami-out/market-day"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Compute, validate and publish one operating day of a whole market, in partitions. What is done already is skipped.

    Exit 0: published, 2: could not run, 130: broken off (143 by SIGTERM); what is done stays.
    """
    import json
    import time
    from functools import partial

    from headend.market.partition import work
    from headend.market.published import publish, sweep
    from headend.market.run import others, run
    from headend.vee.batch import warm
    from reports.commands.executors import executor_of
    from reports.market.page import PAGE, render
    from reports.market.summary import SUMMARY, lines, summary
    from reports.terminal import Bar
    from simulator.runtime.folder import own
    from simulator.runtime.until_stopped import breaking_off
    from simulator.versions import only_as, told_by_code

    tasks = _tasks(meters, tdsp, _day(day), preset, faults, seed, out, lse=lse)
    began = time.perf_counter()
    if gone := len(others(tasks)):
        text = (
            f"{out}: {gone} files are of another run: they are replaced. Name another folder with --out to keep both."
        )
        typer.echo(text, err=True)
    with breaking_off(STOPPED), own(out, (SUMMARY, PAGE)), _disk(out), Bar("meters", hidden=as_json) as bar:
        try:
            with executor_of(workers, dask, room="market", stays=_STAYS, warm=warm) as executor:
                # Whoever joins a cluster may run anything.
                make = partial(only_as, told_by_code(_CODE), _CODE, work) if dask else None
                totals = run(tasks, executor, bar.show, make)
        finally:
            # Workers that were broken off have ended by now.
            sweep(out)
        figures = summary(tasks, totals)
        content = json.dumps(figures, indent=1) + "\n"
        publish(out / SUMMARY, lambda file: file.write(content.encode()))
        page = render(figures, out)
    took = time.perf_counter() - began
    if as_json:
        typer.echo(json.dumps({**figures, "computed_meters": bar.computed, "seconds": round(took, 2)}))
        return
    for line in lines(figures):
        typer.echo(line)
    typer.echo(f"{bar.computed:,} meters computed now, {bar.done - bar.computed:,} were there; {took:.1f} s")
    typer.echo(f"report: {page}")


def _day(text: str) -> date:
    from datetime import date

    from headend.market.plan import refuse_day
    from meters.errors import UserError

    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UserError("market.day", f"'{text}' is no day.", "--date", "Write it as 2026-07-15.") from None
    refuse_day(day)
    return day


def _tasks(
    meters: int,
    companies: list[str] | None,
    day: date,
    preset: str,
    faults: Path | None,
    seed: int,
    out: Path,
    *,
    lse: bool,
) -> list[Task]:
    from headend.market.plan import METERS, shares, tasks
    from headend.market.usual import usual
    from meters.fleet import Fleet
    from meters.identity import tdsp
    from meters.load.premises import MARKET
    from simulator.versions import told_by_code
    from simulator.world.fault_spec import read_happenings

    wanted = list(dict.fromkeys(tdsp(one.upper()).key for one in companies or METERS))
    presets = _presets(preset, wanted)
    declared = read_happenings(faults)
    rules = usual(day) if faults is None else declared.rules
    code = told_by_code(_CODE)
    fleets = [
        Fleet(tdsp(key), seed, count, rules, MARKET, weather=declared.weather)
        for key, count in shares(meters, wanted).items()
    ]
    return [
        task for fleet in fleets for task in tasks(fleet, presets[fleet.tdsp.key], day, code, out.absolute(), lse=lse)
    ]


def _presets(named: str, companies: list[str]) -> Mapping[str, Preset]:
    from simulator.input.vee_preset import preset_of, read_preset, shipped

    if not named:
        return {key: preset_of(key) for key in companies}
    chosen, mistakes = read_preset(shipped().get(named, Path(named)))
    for mistake in mistakes:
        typer.echo(str(mistake), err=True)
    if chosen is None:
        raise typer.Exit(2)
    return dict.fromkeys(companies, chosen)


@contextmanager
def _disk(out: Path) -> Iterator[None]:
    """Say where it could not be written."""
    from meters.errors import UserError, reason

    try:
        yield
    except OSError as error:
        mend = "Make room, or name another folder with --out; what is published stays."
        text = f"It cannot be written: {reason(error)}."
        raise UserError("market.out", text, str(error.filename or out), mend) from None
