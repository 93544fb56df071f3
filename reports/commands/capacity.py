"""``ami capacity``: run a load study and write its report, compare policies, show a workload. Imports nothing heavy before a command runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.commands.capacity_compare import compare, shipped_workloads
from scenarios.cli import AsJson
from scenarios.shipped import STUDIES
from simulator.verdicts import Mark, exit_code_of

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from simulator.capacity.outcome import Outcome

app = typer.Typer(
    no_args_is_help=True, help="Load studies: the on-demand process and the throttle on a modelled network."
)
#: What a run says that a signal ended: the cells that are done stay.
STOPPED = "capacity.interrupted: Stopped. Run the same study again to go on from here."


@app.callback()
def _room() -> None:
    """Load studies: the on-demand process and the throttle on a modelled network."""


@app.command("list")
def list_shipped(as_json: AsJson = False) -> None:
    """List the shipped load studies."""
    import json

    from simulator.capacity.study import load_study

    found = [(path, load_study(path).spec) for path in STUDIES.files().values()]
    if as_json:
        rows = [{"name": study.name, "question": study.question, "file": str(path)} for path, study in found]
        typer.echo(json.dumps(rows, indent=1))
        return
    width = max(len(study.name) for _, study in found)
    for path, study in found:
        typer.echo(f"{study.name:<{width}}  {study.question}\n{'':<{width}}  {path}")


@app.command("run")
def run(
    study: Annotated[
        Path,
        typer.Argument(
            help="A study file, or the name of a shipped one ('ami capacity list').", autocompletion=STUDIES.names
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for outcome and report.", show_default="ami-out/capacity/<name>")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes to run in.")] = os.cpu_count() or 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Run a load study and write its report. A run that was broken off goes on where it was.

    Exit 0: its service levels are kept, by some policy each, 1: one is kept by none though it could be, or none is asked for,
    2: could not run, 3: inconclusive, 130: broken off (143 by SIGTERM).
    """
    from meters.errors import UserError

    try:
        verdict = _run(study, out, workers, as_json)
    except UserError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from None
    except OSError as error:
        typer.echo(
            f"capacity.out.unwritable: {error.filename}: {error.strerror}. Give a folder that can be written with --out.",
            err=True,
        )
        raise typer.Exit(2) from None
    raise typer.Exit(exit_code_of(verdict))


app.command("compare")(compare)


@app.command("workload")
def workload(
    named: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|FILE]",
            help="A shipped workload, or a file of yours: YAML, calls by the hour (CSV), requests (CSV, Parquet).",
            autocompletion=shipped_workloads,
        ),
    ] = None,
    replication: Annotated[int, typer.Option(min=0, help="Which draw of it.")] = 0,
    png: Annotated[Path | None, typer.Option(help="Draw it into this file.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write every request into this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who asks during a workload: requests by class, the busiest quarter hours, outages. Without a name: the shipped ones.

    Prints every mistake of a file on a line. Exit 0: it is sound, 2: not.
    """
    import json

    from simulator.capacity.workload.chosen import read_workload, shipped

    if named is None:
        plans = [(name, read_workload(name)[0], path) for name, path in shipped().items()]
        found = [
            {"name": name, "title": plan.spec.title if plan else "", "file": str(path)} for name, plan, path in plans
        ]
        width = max(len(one["name"]) for one in found)
        text = "\n".join(f"{one['name']:<{width}}  {one['title']}\n{'':<{width}}  {one['file']}" for one in found)
        typer.echo(json.dumps(found, indent=1) if as_json else text)
        return
    plan, mistakes = read_workload(named)
    for mistake in mistakes:
        typer.echo(str(mistake), err=True)
    if plan is None:
        raise typer.Exit(2)
    from reports.capacity.workload import figures, lines
    from simulator.capacity.workload.draw import draw

    drawn = draw(plan, replication)
    if png is not None:
        from reports.capacity.workload_chart import write_png

        write_png(drawn, png)
    if parquet is not None:
        from simulator.capacity.workload.own import write_requests

        write_requests(drawn, parquet)
    told = figures(drawn)
    typer.echo(json.dumps(told) if as_json else "\n".join(lines(told)))


def _run(study_file: Path, out: Path | None, workers: int, as_json: bool) -> Mark:
    import json
    import time

    from reports.capacity.page import render, versions
    from reports.terminal import Bar
    from simulator.capacity.fingerprint import fingerprint
    from simulator.capacity.judged import judge
    from simulator.capacity.run import run_study
    from simulator.capacity.study import load_study
    from simulator.runtime.until_stopped import breaking_off
    from simulator.runtime.worker_pool import worker_pool

    study = load_study(STUDIES.named(study_file))
    folder = out if out is not None else Path("ami-out") / "capacity" / study.spec.name
    folder.mkdir(parents=True, exist_ok=True)
    _say_what_is_replaced(folder, fingerprint(study))
    began = time.perf_counter()
    with breaking_off(STOPPED), Bar("cells", hidden=as_json) as bar:
        if workers == 1:
            outcome = run_study(study, folder, None, bar.show)
        else:
            with worker_pool(workers) as pool:
                outcome = run_study(study, folder, pool, bar.show)
    page, verdict = render(outcome, folder), judge(outcome).mark
    seconds = time.perf_counter() - began
    run_facts = {
        "versions": versions(),
        "workers": workers,
        "seconds": round(seconds, 2),
        "cells_computed": bar.computed,
    }
    (folder / "run.json").write_text(json.dumps(run_facts, indent=1) + "\n", encoding="utf-8")
    if as_json:
        summary = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
        typer.echo(json.dumps({**summary, "mark": verdict, "report": str(page)}))
        return verdict
    _print_tables(outcome)
    typer.echo(f"{bar.total} cells, {bar.computed} of them computed now, in {seconds:.1f} s")
    typer.echo(f"service levels: {verdict}")
    typer.echo(f"report: {page}")
    return verdict


def _say_what_is_replaced(folder: Path, fingerprint: str) -> None:
    """Tell of an outcome in the folder that is not of the study that is about to run."""
    import json

    try:
        kept = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
        name, mark = kept["study"]["name"], kept["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if mark != fingerprint:
        typer.echo(
            f"{folder} holds the outcome of another study, '{name}' ({mark}): its outcome and report are replaced. "
            "Name another folder with --out to keep both.",
            err=True,
        )


def _print_tables(outcome: Outcome) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from reports.capacity.page import TABLE_HEADS, tables
    from reports.terminal import console

    to = console()
    for title, rows in tables(outcome):
        to.print(Text(title, style="bold"))
        to.print(_figures(Table, [Text(head, style="dim") for head in TABLE_HEADS]))
        for row in rows:
            to.print(Text(row.policy, style="bold"))
            to.print(_figures(Table, row.cells))
            if row.refusals:
                to.print(Padding(Text(row.refusals), (0, 0, 0, 2)))
        to.print()
    to.print(
        "Requests per hour: mean, ± half of its 95 % interval. Latency from the planned arrival, of those served. failed: with "
        "T-FAILED and expired. in time: % answered before hang-up. reads: tries at the meter. age: of the data served, median minutes."
    )


def _figures(table: type[Table], cells: Sequence[str | Text]) -> Table:
    """A line of figures: columns of one width, so that lines of several tables stand below each other; 74 columns in all."""
    grid = table.grid(padding=(0, 1, 0, 0))
    for _ in cells:
        grid.add_column(justify="right", width=8, no_wrap=True)
    grid.add_row(*cells)
    return grid
