"""``ami plan list``, ``lint``, ``show``, ``label`` and ``value``: rate plans, what is wrong with one, what it costs, what its fact label says, what a read is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meters import SEED
from simulator.parties.options import FleetSeedOption

if TYPE_CHECKING:
    from simulator.capacity.value import ValueTable
    from simulator.ror.billing.plan import RatePlan

app = typer.Typer(help="Rate plans: what a retailer charges.", no_args_is_help=True)


def plan_names(incomplete: str) -> list[str]:
    from simulator.ror.billing.plan import shipped_plans

    return [name for name in shipped_plans() if name.startswith(incomplete)]


_Plan = Annotated[
    str, typer.Argument(metavar="PLAN", help="A plan file, or a shipped one's name.", autocompletion=plan_names)
]
_Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]


_STOPPED = "ror.value.interrupted: Stopped. Nothing is written."


@app.command("list")
def list_plans(as_json: _Json = False) -> None:
    """List the shipped plans: name, title, edges."""
    import json

    from simulator.ror.billing.plan import plan_edges, shipped_plan, shipped_plans

    plans = {name: shipped_plan(name) for name in shipped_plans()}
    if as_json:
        typer.echo(json.dumps([{"plan": key, **plan.model_dump(mode="json")} for key, plan in plans.items()]))
        return
    for key, plan in plans.items():
        edges = "; ".join(edge.text for edge in plan_edges(plan)) or "no edges"
        typer.echo(f"{key:24}{plan.name}: {edges}")


@app.command()
def lint(
    plans: Annotated[
        list[str] | None,
        typer.Argument(help="Plan files or shipped names; all of those unless given.", autocompletion=plan_names),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Check plans: their form, and their fact labels against their prices.

    Prints every mistake on a line: code, file and line, field, what is wrong, the mend. Exit 0: all sound, 2: not.
    """
    import json

    from simulator.ror.billing.fact_label import label_mistakes
    from simulator.ror.billing.plan import named_plan, plan_mistakes, shipped_plans

    rows = []
    for name in plans or shipped_plans():
        path = named_plan(name)
        plan, mistakes = plan_mistakes(path)
        mistakes += label_mistakes(plan, path.name) if plan is not None else []
        told = [{"code": one.code, "place": one.place, "message": one.message, "mend": one.mend} for one in mistakes]
        rows.append({"file": str(path), "sound": not mistakes, "mistakes": told})
        if as_json:
            continue
        for mistake in mistakes:
            typer.echo(str(mistake), err=True)
        if plan is not None and not mistakes:
            typer.echo(f"{path}: sound. {plan.name}.")
    if as_json:
        typer.echo(json.dumps(rows))
    if not all(row["sound"] for row in rows):
        raise typer.Exit(2)


@app.command()
def show(
    plan: _Plan,
    up_to: Annotated[
        int | None,
        typer.Option(
            metavar="KWH", min=20, max=100_000, help="The most that is shown: 2,000, or beyond the last edge."
        ),
    ] = None,
    on: Annotated[str, typer.Option(metavar="DAY", help="The month's first day.", show_default="the label's day")] = "",
    png: Annotated[Path | None, typer.Option(help="Draw it into this file too.")] = None,
    as_json: _Json = False,
) -> None:
    """Show what a month costs: dollars against kWh, the plan's edges marked."""
    import json

    from reports.plan.curve import curve, month_of, rows, shown_to
    from simulator.ror.billing.plan import load_plan, named_plan

    read = load_plan(named_plan(plan))
    drawn = curve(read, month_of(read, on), up_to or shown_to(read))
    if png is not None:
        from reports.plan.chart import write_png

        write_png(drawn, png)
    if as_json:
        edges = [edge.model_dump(mode="json") for edge in drawn.edges]
        points = [[int(wh), int(cents)] for wh, cents in zip(drawn.wh, drawn.cents, strict=True)]
        typer.echo(json.dumps({"plan": drawn.plan.name, "first": f"{drawn.first}", "edges": edges, "wh_cents": points}))
        return
    typer.echo(f"{drawn.plan.name}, a month of 30 days from {drawn.first}")
    for row in rows(drawn):
        typer.echo(row)
    if png is not None:
        typer.echo(f"picture: {png}")


@app.command()
def label(plan: _Plan, as_json: _Json = False) -> None:
    """Recompute the fact label: average prices under the charges of its day, beside what it prints. Exit 0: they agree, 2: not."""
    import json

    from simulator.ror.billing.fact_label import check_fact_label, label_rows
    from simulator.ror.billing.plan import load_plan, named_plan

    read = load_plan(named_plan(plan))
    found = {one.kwh: one.text for one in check_fact_label(read)}
    rows = label_rows(read)
    if as_json:
        typer.echo(
            json.dumps(
                [
                    {"kwh": str(kwh), "printed": None if printed is None else str(printed), "computed": str(computed)}
                    for kwh, printed, computed in rows
                ]
            )
        )
    else:
        for kwh, printed, computed in rows:
            told = "-" if printed is None else f"{printed}"
            typer.echo(
                f"{kwh:>6f} kWh  {computed:>8} c/kWh  printed {told:>6}  {'differs' if kwh in found else ''}".rstrip()
            )
    if found:
        raise typer.Exit(2)


@app.command()
def value(
    plan: Annotated[
        list[str] | None,
        typer.Option(
            help="A plan file, or a shipped one's name; again for another.",
            show_default="all shipped",
            autocompletion=plan_names,
        ),
    ] = None,
    homes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1_000_000,
            help="Make the table of so many homes: 2,000 take a minute.",
            show_default="the shipped table",
        ),
    ] = None,
    seed: FleetSeedOption = SEED,
    out: Annotated[Path | None, typer.Option(help="Write the table into this Parquet file too.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write its rows as CSV too.")] = None,
    png: Annotated[Path | None, typer.Option(help="Draw the first four plans into this file too.")] = None,
    as_json: _Json = False,
) -> None:
    """Tell what a read is worth: how far a bill told is from the truth, by what is not known and how that is filled.

    Without --homes it is told from the table that comes with the test bed. Exit 0, 2: could not run, 130: broken off, nothing is written.
    """
    import json

    from reports.plan.value import rows, stale, summary, write_csv, write_parquet
    from simulator.ror.errors import RorError

    for path in (out, csv, png):
        if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
            text = "It is a folder." if path.is_dir() else "There is no such folder."
            raise RorError("ror.value.unwritable", text, str(path), "Name a file in a folder that is there.")
    plans = _plans(plan)
    table = _table(plans, homes, seed, hidden=as_json)
    for sentence in stale(table, plans):
        typer.echo(sentence, err=True)
    if out is not None:
        write_parquet(table, out)
    if csv is not None:
        write_csv(table, csv)
    if png is not None:
        from reports.plan.value_chart import write_png

        write_png(table, png)
    if as_json:
        typer.echo(json.dumps(summary(table)))
        return
    for row in rows(table):
        typer.echo(row)
    for path in (out, csv, png):
        if path is not None:
            typer.echo(f"written: {path}")


def _plans(given: list[str] | None) -> dict[str, RatePlan]:
    from simulator.ror.billing.plan import load_plan, named_plan, shipped_plans

    paths = [named_plan(name) for name in given or shipped_plans()]
    return {path.stem: load_plan(path) for path in paths}


def _table(plans: dict[str, RatePlan], homes: int | None, seed: int, *, hidden: bool) -> ValueTable:
    """Made of so many homes, or the shipped one."""
    from reports.plan.value import make, only
    from reports.terminal import Bar
    from simulator.capacity.value import read_value
    from simulator.ror.errors import RorError
    from simulator.runtime.until_stopped import breaking_off

    if homes is not None:
        with breaking_off(_STOPPED), Bar("homes and seasons", hidden=hidden) as bar:
            return make(plans, homes, seed, bar.show)
    table = read_value()
    if unknown := [name for name in plans if name not in table.plans]:
        text = f"The shipped table has no plan '{unknown[0]}'."
        raise RorError("ror.value.unknown_plan", text, "--plan", "Add --homes 200 to make a table of it.")
    if seed != SEED:
        raise RorError(
            "ror.value.seed", "The shipped table is of one seed.", "--seed", "Add --homes 200 to make another."
        )
    return only(table, list(plans))
