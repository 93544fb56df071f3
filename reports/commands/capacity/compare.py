"""``ami capacity compare``: throttle policies over whole workloads. Imports nothing heavy before the command runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scenarios.cli import AsJson

if TYPE_CHECKING:
    from simulator.capacity.levels import Level

#: What is compared if nothing is named.
WORKLOADS = ("ordinary-day", "bill-surge-x3", "bulk-40000", "home-automation-synchronised", "storm-5-percent")
#: What a command says that a signal ended.
STOPPED = "capacity.interrupted: Stopped. What --out names keeps the cells that are done."


def shipped_workloads(incomplete: str) -> list[str]:
    """The shipped workloads that begin so."""
    from simulator.capacity.workload.chosen import shipped

    return [name for name in shipped() if name.startswith(incomplete)]


def presets(incomplete: str) -> list[str]:
    """The presets that begin so."""
    from simulator.smt.throttle.policy import preset_names

    return [name for name in preset_names() if name.startswith(incomplete)]


def compare(
    workloads: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORKLOAD|FILE]...",
            help="Shipped workloads ('ami capacity workload') or files of yours.",
            show_default=", ".join(WORKLOADS),
            autocompletion=shipped_workloads,
        ),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="A preset or a policy's file, the one first that others are held against; again for each.",
            show_default="every preset",
            autocompletion=presets,
        ),
    ] = None,
    replications: Annotated[int, typer.Option(min=1, max=1000, help="Draws of each workload.")] = 5,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes to run in.")] = os.cpu_count() or 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder that keeps cells and outcome; again into it goes on.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every cell into this file.")] = None,
    progress: Annotated[Path | None, typer.Option(help="File for how far it is, a line of JSON each.")] = None,
    must: Annotated[
        list[str] | None,
        typer.Option("--assert", help="What every cell must keep, as 'told_in_call>=0.5'; again for each."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare throttle policies over whole days: who is told in the call, by how many dollars wrongly, at what cost on air.

    The same callers meet every policy, played by the compiled engine. Exit 0: done, and every --assert is kept, 1: one is not,
    2: could not run, 130: broken off (143 by SIGTERM).
    """
    import json

    from reports.capacity import headline
    from reports.capacity.compare import lines, write_csv
    from reports.commands.cells import cells_told
    from reports.commands.executors import executor_of
    from simulator.capacity.run import run_study
    from simulator.capacity.study import Study, StudySpec, refuse_size
    from simulator.capacity.workload.chosen import chosen_workload
    from simulator.errors import SimulatorError
    from simulator.runtime.until_stopped import breaking_off
    from simulator.smt.throttle.policy import load_policy, preset_names

    bounds = bounds_in(must)
    plans = [chosen_workload(one) for one in workloads or WORKLOADS]
    policies = [load_policy(one, place="--policy") for one in policy or preset_names()]
    for what, names in (("workload", [one.spec.name for one in plans]), ("policy", [one.name for one in policies])):
        for name in names:
            if names.count(name) > 1:
                text = f"Two of the {'workloads' if what == 'workload' else 'policies'} are called '{name}'."
                raise SimulatorError("capacity.compare.twice", text, what, "Leave one out, or rename it.")
    if csv is not None and not csv.parent.is_dir():
        text = "There is no such folder."
        raise SimulatorError("capacity.compare.csv", text, str(csv.parent), "Make it, or name another with --csv.")
    spec = StudySpec(
        name="comparison",
        replications=replications,
        workloads=[one.spec.name for one in plans],
        policies=[one.name for one in policies],
    )
    study = Study(spec, plans, policies)
    refuse_size(study, workers, "--workers")
    if out is not None:
        make_folder(out)
    with (
        breaking_off(STOPPED),
        cells_told(progress, spec.name, "Throttle policies over whole days", hidden=as_json) as (_, show),
        executor_of(workers, "", room="capacity", stays="what --out keeps stays") as executor,
    ):
        comparison = run_study(study, out, executor, show)
    if csv is not None:
        write_csv(comparison, csv)
    missed = [sentence for one in bounds for sentence in one.missed(comparison)]
    if as_json:
        typer.echo(json.dumps({**headline.as_json(comparison), **comparison.as_json(), "not_kept": missed}))
    else:
        typer.echo("\n".join([*headline.lines(comparison), *lines(comparison), *missed]))
    raise typer.Exit(1 if missed else 0)


def make_folder(out: Path) -> None:
    """Make the folder that --out names. Raises SimulatorError ``capacity.out.unwritable``."""
    from simulator.errors import SimulatorError

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SimulatorError(
            "capacity.out.unwritable", f"{error.strerror}.", f"--out {out}", "Give a folder that can be written."
        ) from None


def bounds_in(must: list[str] | None) -> list[Level]:
    """What --assert wants. Raises SimulatorError ``capacity.compare.assert``."""
    from simulator.capacity.levels import level_of
    from simulator.errors import SimulatorError
    from simulator.input.mistakes import sentence

    found = []
    for text in must or ():
        try:
            found.append(level_of(text))
        except ValueError as error:
            message, _, mend = str(error).partition("; ")
            raise SimulatorError(
                "capacity.compare.assert", sentence(message), f"--assert '{text}'", sentence(mend)
            ) from None
    return found
