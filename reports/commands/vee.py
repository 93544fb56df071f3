"""``ami vee make``, ``run``, ``report`` and ``score``: what an engine is fed, our batch over it or a head-end's as a page, the scorecard. Imports nothing heavy before a command runs."""

from __future__ import annotations

import os
import signal
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from meters import SEED
from simulator.parties.options import FleetSeedOption, MixOption, TdspOption

_Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder of 'ami vee make'.")]
#: Four seasons, for which the shipped mix has its spans.
DAYS = "2026-01-13..2026-01-17,2026-04-14..2026-04-18,2026-07-14..2026-07-18,2026-10-13..2026-10-17"


def make(
    out: Annotated[Path, typer.Option(help="The folder that is written.")],
    meters: Annotated[int, typer.Option(min=1, max=100_000, help="How many meters.")] = 500,
    days: Annotated[str, typer.Option(help="Operating days and spans of them, with commas between.")] = DAYS,
    faults: Annotated[
        Path | None,
        typer.Option(help="A YAML file of faults, weather and look-alikes.", show_default="the shipped mix"),
    ] = None,
    tdsp: TdspOption = "ONCOR",
    seed: FleetSeedOption = SEED,
    mix: MixOption = "market",
    csv: Annotated[bool, typer.Option("--csv", help="What is fed as CSV too.")] = False,
    cmep: Annotated[bool, typer.Option("--cmep", help="Reads and registers as CMEP (MEPMD01) too.")] = False,
) -> None:
    """Write what a VEE engine is fed (reads, registers, headers, events, assets), and apart from it the truth and the ledgers.

    What was broken off goes on where it was, if it is asked for with the same words.
    """
    import reports.score.made as made
    from simulator.runtime.folder import own, writing

    shipped = Path(made.__file__).with_name("mix.yaml")
    wanted, formats = made.days_of(days), made.Formats(csv, cmep)
    before = signal.getsignal(signal.SIGINT)
    # Ignored is what a shell has it for a command in the background.
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _stop)
    try:
        with own(out, ()), writing(out):
            made.make(tdsp, meters, seed, mix, wanted, faults or shipped, out, formats, _progress, _warn)
    finally:
        signal.signal(signal.SIGINT, before)
    typer.echo(f"{out}: {meters} meters, {len(wanted)} days")


def _stop(number: int, *_: object) -> None:
    """End at once, as the front door does."""
    try:
        os.write(2, b"stopped; the same command goes on where it was.\n")
    finally:
        os._exit(128 + number)


def _progress(day: date) -> None:
    typer.echo(f"{day.isoformat()} done", err=True)


def _warn(text: str) -> None:
    typer.echo(f"{text}.", err=True)


def run(
    folder: _Folder,
    preset: Annotated[str, typer.Option(help="A preset file, or a shipped one's name.", show_default="the usual")] = "",
) -> None:
    """Put what was made through our batch, into DIR/ours."""
    from headend.vee.preset import Preset
    from reports.score.engine import run as run_engine
    from reports.score.made import OURS, read_made
    from simulator.input.vee_preset import read_preset, shipped
    from simulator.runtime.folder import own, writing

    chosen: Preset | None = Preset()
    if preset:
        chosen, mistakes = read_preset(shipped().get(preset, Path(preset)))
        for mistake in mistakes:
            typer.echo(str(mistake), err=True)
    if chosen is None:
        raise typer.Exit(2)
    made = read_made(folder)
    with own(folder, (), "DIR"), writing(folder):
        run_engine(made, chosen, folder / OURS, _progress)
    typer.echo(f"{folder / OURS}: {len(made.days)} days by the preset '{chosen.name}'")


def report(
    batch: Annotated[
        str, typer.Argument(metavar="URL|FILE", help="GET /batches/DAY of a head-end, or what it answered.")
    ],
    keys: Annotated[Path | None, typer.Option(help="File with the keys of the head-end's links, for a URL.")] = None,
    out: Annotated[Path, typer.Option(help="The page.")] = Path("ami-out/batch.html"),
) -> None:
    """Write a head-end's batch of a day as a page."""
    from reports.batch.page import page_of
    from reports.batch.source import told
    from simulator.runtime.folder import write_whole

    page = page_of(told(batch, keys))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, page)
    typer.echo(f"report: {out}")


def score(
    folder: _Folder,
    engine: Annotated[
        list[Path] | None,
        typer.Option(help="A file of another engine, or a folder of them: LSE, CMEP, CSV or Parquet."),
    ] = None,
    rules: Annotated[Path | None, typer.Option(help="YAML: its names of rules, and ours.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with charts too.")] = None,
) -> None:
    """Score our batch's output, or another engine's, against the truth."""
    import json

    from meters.errors import UserError
    from reports.score.delivered import Engine, files_of, ours, read_names
    from reports.score.made import read_made
    from reports.score.scored import add_up
    from reports.score.text import lines, targets

    made = read_made(folder)
    given = engine or [ours(made)]
    delivered = Engine(made, files_of(given), read_names(rules) if rules else None)
    days = ((made.fed(day), made.truth(day), delivered.day(day)) for day in made.days)
    figures = add_up(days, made.assets["generation"]).figures()
    if html:
        from reports.score.page import page

        whose = ", ".join(map(str, engine)) if engine else "our batch"
        about = f"{whose}: {len(made.esiids):,} meters of {made.fleet.tdsp.name}, seed {made.fleet.seed}, {len(made.days)} days."
        text = page(figures, about, f"operating days {made.days[0]} to {made.days[-1]}")
        try:
            html.write_text(text, encoding="utf-8")
        except OSError as error:
            mend = "Name a file that can be written with --html."
            raise UserError("vee.score.html", f"{error.strerror}.", str(html), mend) from None
    if as_json:
        figures |= {"targets": [target._asdict() for target in targets(figures)]}
        figures |= {"unknown_rules": sorted(delivered.unknown), "rows_of_nothing_made": delivered.strange}
        typer.echo(json.dumps(figures))
        return
    for line in lines(figures):
        typer.echo(line)
    if delivered.unknown:
        typer.echo(f"names that lead to no rule: {', '.join(sorted(delivered.unknown))}", err=True)
    if delivered.strange:
        typer.echo(f"{delivered.strange} rows are of no interval that was made, or came again", err=True)
