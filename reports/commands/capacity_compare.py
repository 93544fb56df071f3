"""``ami capacity compare``: throttle policies over whole workloads. Imports nothing heavy before the command runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from scenarios.cli import AsJson

#: What is compared if nothing is named.
WORKLOADS = ("ordinary-day", "bill-surge-x3", "bulk-40000", "home-automation-synchronised", "storm-5-percent")
#: What a command says that a signal ended.
STOPPED = "capacity.interrupted: Stopped. Nothing is kept of it."


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
    csv: Annotated[Path | None, typer.Option(help="Write every cell into this file.")] = None,
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

    from reports.capacity.compare import as_json as told
    from reports.capacity.compare import lines, wanted, write_csv
    from reports.terminal import Bar
    from simulator.capacity.compare import CONTENDED
    from simulator.capacity.compare import compare as played
    from simulator.capacity.workload.chosen import chosen_workload
    from simulator.errors import SimulatorError
    from simulator.runtime.until_stopped import breaking_off
    from simulator.runtime.worker_pool import worker_pool
    from simulator.smt.throttle.policy import load_policy, preset_names

    bounds = [wanted(one) for one in must or ()]
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
    with breaking_off(STOPPED), Bar("cells", hidden=as_json) as bar:
        if workers == 1 or len(plans) * replications == 1:
            comparison = played(plans, policies, replications, None, bar.show)
        else:
            with worker_pool(min(workers, len(plans) * replications)) as pool:
                comparison = played(plans, policies, replications, pool, bar.show)
    if csv is not None:
        write_csv(comparison, csv)
    missed = [sentence for one in bounds for sentence in one.missed(comparison)]
    if as_json:
        typer.echo(json.dumps(told(comparison, CONTENDED) | {"not_kept": missed}))
    else:
        typer.echo("\n".join([*lines(comparison, CONTENDED), *missed]))
    raise typer.Exit(1 if missed else 0)
