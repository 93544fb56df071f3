"""``ami capacity``: run a load study and write its report, compare policies, ask what if, show a workload. Imports nothing heavy before a command runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.commands.capacity.compare import compare, shipped_workloads
from reports.commands.capacity.whatif import whatif
from scenarios.cli import AsJson
from scenarios.file.shipped import STUDIES
from simulator.verdicts import Mark, exit_code_of

if TYPE_CHECKING:
    from simulator.capacity.study import Study

app = typer.Typer(no_args_is_help=True, help="Load studies: throttle policies over whole days of everybody who asks.")
StudyFile = Annotated[
    Path,
    typer.Argument(
        metavar="STUDY",
        help="A study file, or the name of a shipped one ('ami capacity list').",
        autocompletion=STUDIES.names,
    ),
]
#: What a run says that a signal ended: the cells that are done stay.
STOPPED = "capacity.interrupted: Stopped. Run the same study again to go on from here."


@app.callback()
def _room() -> None:
    """Load studies: throttle policies over whole days of everybody who asks."""


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


@app.command("lint")
def lint(study: StudyFile) -> None:
    """Look through a study file: every mistake on a line, or how many cells it has. Exit 0: it is sound, 2: not."""
    found = _read(study)
    cells = len({*found.main(range(found.spec.replications)), *found.swung()})
    knees = len(list(found.knees()))
    largest = max(plan.expected() for plan in found.plans)
    typer.echo(
        f"{found.spec.name}: {len(found.plans)} workloads, the largest of {largest:,.0f} requests, {len(found.policies)} policies, "
        f"{cells:,} cells, {knees} knees."
    )


@app.command("run")
def run(
    study: StudyFile,
    out: Annotated[
        Path | None, typer.Option(help="Folder for outcome and report.", show_default="ami-out/capacity/<name>")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes to run in.")] = os.cpu_count() or 1,
    dask: Annotated[str, typer.Option(help="A Dask scheduler's address instead, such as tcp://host:8786.")] = "",
    rows: Annotated[
        bool, typer.Option("--rows", help="Write every request of the first replications too, as Parquet.")
    ] = False,
    progress: Annotated[Path | None, typer.Option(help="File for how far it is, a line of JSON each.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Run a load study and write its report. A run that was broken off goes on where it was.

    Exit 0: its service levels are kept, by some policy each, 1: one is kept by none, or none is asked for,
    2: could not run, 3: inconclusive, 130: broken off (143 by SIGTERM).
    """
    from meters.errors import UserError

    try:
        verdict = _run(_read(study), study, out, workers, dask, progress, rows=rows, as_json=as_json)
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
app.command("whatif")(whatif)


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


def _read(study_file: Path) -> Study:
    """A sound study; else every mistake is said and the command ends."""
    from simulator.capacity.study import read_study

    study, mistakes = read_study(STUDIES.named(study_file))
    for mistake in mistakes:
        typer.echo(str(mistake), err=True)
    if study is None:
        raise typer.Exit(2)
    return study


def _run(
    study: Study,
    file: Path,
    out: Path | None,
    workers: int,
    dask: str,
    told_to: Path | None,
    *,
    rows: bool,
    as_json: bool,
) -> Mark:
    import json
    import time
    from functools import partial

    from reports.capacity import headline
    from reports.capacity.compare import lines as compared
    from reports.capacity.page import render
    from reports.capacity.study import lines
    from reports.commands.cells import cells_told
    from reports.commands.executors import executor_of
    from simulator.capacity.cell import CELL, play_cell
    from simulator.capacity.levels import judge
    from simulator.capacity.run import run_study
    from simulator.capacity.study import refuse_size
    from simulator.errors import SimulatorError
    from simulator.runtime.until_stopped import breaking_off
    from simulator.versions import only_as, told_by_code

    if rows and dask:
        mend = "Leave one of the two."
        raise SimulatorError("capacity.rows.dask", "Rows would lie on the cluster's machines.", "--rows", mend)
    refuse_size(study, workers, str(file))
    folder = out if out is not None else Path("ami-out") / "capacity" / study.spec.name
    folder.mkdir(parents=True, exist_ok=True)
    _say_what_is_replaced(folder, study.fingerprint())
    began = time.perf_counter()
    # Whoever joins a cluster may run anything.
    play = partial(only_as, told_by_code(CELL), CELL, play_cell) if dask else play_cell
    with (
        breaking_off(STOPPED),
        cells_told(told_to, study.spec.name, study.spec.question, hidden=as_json) as (bar, show),
        executor_of(workers, dask, room="capacity", stays="cells that are done stay") as executor,
    ):
        outcome = run_study(study, folder, executor, show, play, rows=rows)
    page, verdict = render(outcome, folder), judge(outcome)
    seconds = time.perf_counter() - began
    run_facts = {"workers": workers, "seconds": round(seconds, 2), "cells_computed": bar.computed}
    (folder / "run.json").write_text(json.dumps(run_facts, indent=1) + "\n", encoding="utf-8")
    if as_json:
        told = {**headline.as_json(outcome), **outcome.as_json(), "mark": verdict.mark, "report": str(page)}
        typer.echo(json.dumps(told))
        return verdict.mark
    typer.echo("\n".join([*headline.lines(outcome), *compared(outcome), *lines(outcome, verdict)]))
    typer.echo(f"\n{bar.total:,} cells, {bar.computed:,} of them computed now, in {seconds:.1f} s")
    typer.echo(f"service levels: {verdict.mark}")
    typer.echo(f"report: {page}")
    return verdict.mark


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
