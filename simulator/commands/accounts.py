"""The command ``ami accounts lint``. Heavy imports are inside, so that --help is at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="A retailer's accounts: a folder of YAML and CSV files.", no_args_is_help=True)


@app.callback()
def a_room() -> None:
    """A callback keeps 'lint' a word of its own."""


@app.command()
def lint(
    folder: Annotated[Path, typer.Argument(help="Folder with accounts.yaml and reading_days.csv.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Check a folder of accounts: the form of its files, its plans, and whether they fit together.

    Prints every mistake on a line: code, file and line, field, what is wrong, the mend. Exit 0: sound, 2: not.
    """
    import json

    from simulator.ror.accounts.folder import account_mistakes

    book, mistakes = account_mistakes(folder)
    told = [{"code": one.code, "place": one.place, "message": one.message, "mend": one.mend} for one in mistakes]
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "sound": book is not None, "mistakes": told}))
    else:
        for mistake in mistakes:
            typer.echo(str(mistake), err=True)
        if book is not None:
            typer.echo(f"{folder}: sound. {len(book)} accounts.")
    if book is None:
        raise typer.Exit(2)
