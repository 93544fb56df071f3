"""The command ``ami smt registry``: a seeded registry as a folder of CSV files. Heavy imports are inside, so that --help is at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from meters import SEED


def smt_registry(
    folder: Annotated[
        Path, typer.Argument(help="Folder for the CSV files; one that has a registry already is left alone.")
    ],
    tdsp: Annotated[str, typer.Option(help="Whose premises.")] = "ONCOR",
    count: Annotated[int, typer.Option(help="How many, ordinals from 0.", min=1, max=1_000_000)] = 41,
    seed: Annotated[int, typer.Option(help="Which ones.", min=0)] = SEED,
    date: Annotated[
        str,
        typer.Option(help="The day from which switches and moves are counted back: 2026-08-12; today unless given."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Write the records of made premises, and print the log-ins with their password: the files have its hash alone."""
    import json

    from simulator.errors import SimulatorError
    from simulator.smt.registry.csv_files import write_new_registry
    from simulator.smt.registry.seeded import PASSWORD, seeded_registry

    made = seeded_registry(tdsp.upper(), seed, count, _day(date))
    try:
        write_new_registry(made, folder)
    except OSError as error:
        raise SimulatorError(
            "smt.registry.unwritable",
            f"The folder cannot be written: {error.strerror}.",
            str(folder),
            "Name one that is there or can be made.",
        ) from None
    logins = [{"username": user.username, "kind": user.kind.value, "duns": user.duns} for user in made.users.values()]
    summary = {"folder": str(folder), "esiids": len(made.points), "password": PASSWORD, "logins": logins}
    print(json.dumps(summary) if as_json else "\n".join(_lines(summary)))


def _day(text: str) -> Any:
    import time
    from datetime import date

    from meters.calendar import YEARS, day_of, seconds
    from simulator.errors import SimulatorError

    if not text:
        return day_of(seconds(time.time()))
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.year not in YEARS:
        mend = f"Write it as 2026-08-12, in {YEARS.start} to {YEARS.stop - 1}."
        raise SimulatorError("smt.registry.date", f"'{text}' is not a day.", "--date", mend)
    return day


def _lines(summary: dict[str, Any]) -> list[str]:
    """The folder and the log-ins, for people; of the customers the first and the last."""
    customers = [one["username"] for one in summary["logins"] if one["kind"] == "customer"]
    companies = [one for one in summary["logins"] if one["kind"] != "customer"]
    return [
        f"{summary['folder']}: records of {summary['esiids']} service points",
        "",
        f"Every log-in has the password {summary['password']}",
        *(f"  {company['kind']:<9}  {company['username']}   DUNS {company['duns']}" for company in companies),
        f"  customer   {customers[0]} to {customers[-1]}, one for each service point",
        "",
        f"Serve them: ami smt serve --registry {summary['folder']}",
    ]
