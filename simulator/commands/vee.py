"""The command ``ami vee lint``. Heavy imports are inside, so that --help is at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="VEE: how a TDSP validates and estimates its days.", no_args_is_help=True)


@app.callback()
def a_room() -> None:
    """A callback keeps 'lint' a word of its own."""


@app.command()
def lint(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Preset files, or names of shipped ones; all of those unless given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Check presets: their form, their thresholds against the rule table, their ladders.

    Prints every mistake on a line: code, file and line, field, what is wrong, the mend. Exit 0: all sound, 2: not.
    """
    import json

    from simulator.input.vee_preset import read_preset, shipped

    known = shipped()
    rows = []
    for path in [known.get(str(file), file) for file in files or []] or list(known.values()):
        preset, mistakes = read_preset(path)
        told = [{"code": one.code, "place": one.place, "message": one.message, "mend": one.mend} for one in mistakes]
        rows.append({"file": str(path), "sound": preset is not None, "mistakes": told})
        if as_json:
            continue
        for mistake in mistakes:
            typer.echo(str(mistake), err=True)
        if preset is not None:
            typer.echo(f"{path}: sound. {preset.name}, from {preset.effective}.")
    if as_json:
        typer.echo(json.dumps(rows))
    if not all(row["sound"] for row in rows):
        raise typer.Exit(2)
