"""``ami console``. Imports nothing heavy before the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def console(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[URL|DIR]",
            help="A test bed's address (SMT's), or a folder of runs.",
            show_default="the sandbox on this machine",
        ),
    ] = "",
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond this machine with a password alone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one.")] = 8690,
    runs: Annotated[Path | None, typer.Option(help="Folder of runs beside a test bed.", show_default="ami-out")] = None,
    keys: Annotated[
        Path | None,
        typer.Option(help="File with the keys of the bed's links.", show_default="the one that the bed names"),
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="PEM file of the authority behind SMT's certificate.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with the password that opens the console.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Show a test bed to a tester in a browser: the path with live counts, clock, faults, complaints, scenarios, runs, studies. Ctrl-C stops it."""
    from reports.console.serve import serve_console

    serve_console(what, host, port, runs, keys, ca, password_file, as_json=as_json)
