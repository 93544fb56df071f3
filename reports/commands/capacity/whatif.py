"""``ami capacity whatif``: what a policy would change, for a fleet and calls of one's own. Imports nothing heavy before the command runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from reports.commands.capacity.compare import STOPPED, bounds_in, make_folder, presets
from scenarios.cli import AsJson


def whatif(
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="A preset or a policy's file; again for another.", show_default="fr-cr016-1", autocompletion=presets
        ),
    ] = None,
    fleet: Annotated[str, typer.Option(help="How many meters, as 2.8M.")] = "4M",
    calls: Annotated[
        Path | None, typer.Option(help="CSV of hour,class,calls in place of the ordinary day's calls of these classes.")
    ] = None,
    storm: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of the meters without power from 16:00 on.")
    ] = None,
    post_at: Annotated[str | None, typer.Option(help="When yesterday's VEE intervals are posted, as 15:00.")] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(help="Another assumption, as workers=100 (docs/capacity.md names them); again for each."),
    ] = None,
    replications: Annotated[int, typer.Option(min=1, max=1000, help="Draws of the day.")] = 6,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes to run in.")] = os.cpu_count() or 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder that keeps cells and outcome; again into it goes on.")
    ] = None,
    progress: Annotated[Path | None, typer.Option(help="File for how far it is, a line of JSON each.")] = None,
    must: Annotated[
        list[str] | None,
        typer.Option(
            "--assert", help="What each policy asked about must keep, as 'told_in_call>=0.5'; again for each."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a policy would change against today's limits (smt-today): who is told, by how many dollars wrongly, what refuses whom.

    A first glance comes at once, then differences over the same callers. Exit 0: done, and every --assert is kept, 1: one is not,
    2: could not run, 130: broken off (143 by SIGTERM).
    """
    import json
    from dataclasses import replace

    from reports.capacity.whatif import lines
    from reports.commands.cells import cells_told
    from reports.commands.executors import executor_of
    from simulator.capacity.run import run_study
    from simulator.capacity.study import refuse_size
    from simulator.capacity.whatif import TODAY, assumed_in, meters_of, plan_if, study_if
    from simulator.runtime.until_stopped import breaking_off

    bounds = bounds_in(must)
    plan = plan_if(meters_of(fleet), calls, storm)
    assumed = assumed_in([*(assume or ()), *([] if post_at is None else [f"posted={post_at}"])])
    study = study_if(plan, policy or ["fr-cr016-1"], assumed, replications)
    refuse_size(study, workers, "--workers")
    if out is not None:
        make_folder(out)
    with breaking_off(STOPPED):
        # One draw is no more than a glance.
        if not as_json and replications > 1:
            glance = replace(study, spec=study.spec.model_copy(update={"replications": 1}), sums_alone=True)
            typer.echo("\n".join([*lines(run_study(glance)), ""]))
        with (
            cells_told(progress, study.spec.name, plan.spec.title, hidden=as_json) as (_, show),
            executor_of(workers, "", room="capacity", stays="what --out keeps stays") as executor,
        ):
            outcome = run_study(study, out, executor, show)
    missed = [text for one in bounds for text in one.missed(outcome) if not text.endswith(f" under {TODAY}")]
    if as_json:
        typer.echo(json.dumps({**outcome.as_json(), "not_kept": missed}))
    else:
        typer.echo("\n".join([*lines(outcome), *missed]))
    raise typer.Exit(1 if missed else 0)
