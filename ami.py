"""The front door: one Typer app assembled from the rooms' own commands. It imports nothing heavy, so that --help is at once."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import typer

from meters.errors import UserError
from reports.commands.capacity import app as capacity
from reports.commands.demo import demo, report
from reports.commands.meters import list_meters, show_meter
from scenarios.cli import scenario
from simulator.commands.registry import smt_registry
from simulator.commands.serve import headend_serve, meters_serve, sandbox, smt_serve

app = typer.Typer(
    name="ami",
    help="ami-testbed: a head-end simulator and meter emulator test bed for the Texas smart-meter market.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

meters = typer.Typer(help="The emulated AMS meters: serve them, list them, show a day of one.", no_args_is_help=True)
meters.command("serve")(meters_serve)
meters.command("list")(list_meters)
meters.command("show")(show_meter)

headend = typer.Typer(help="A TDSP's head-end alone.", no_args_is_help=True)
smt = typer.Typer(help="Smart Meter Texas alone.", no_args_is_help=True)


@headend.callback()
@smt.callback()
def _a_party() -> None:
    """A callback keeps 'serve' a word of its own where a party has one command."""


headend.command("serve")(headend_serve)
smt.command("serve")(smt_serve)
smt.command("registry")(smt_registry)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"ami-testbed {version('ami-testbed')}")
        except PackageNotFoundError:
            typer.echo("ami-testbed, from source and not installed")
        raise typer.Exit


@app.callback()
def _front_door(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
    ] = False,
) -> None:
    """ami-testbed: a head-end simulator and meter emulator test bed for the Texas smart-meter market."""


app.command()(demo)
app.command()(sandbox)
app.command()(report)
app.add_typer(meters, name="meters")
app.add_typer(headend, name="headend")
app.add_typer(smt, name="smt")
app.add_typer(scenario, name="scenario")
app.add_typer(capacity, name="capacity")


#: What a shell gives a command that SIGPIPE ended.
READER_GONE = 141


class _Stdout(io.FileIO):
    """Standard output that ends the command quietly when its reader is gone (``ami demo | head -3``).

    The signal itself stays ignored: its default would end a sandbox whenever a peer closes a socket. What prints (click, rich) has a
    word of its own on a broken pipe, exit 1, which here says that a step failed; so it never gets to see one.
    """

    def write(self, content: Any, /) -> int:
        try:
            written: int = super().write(content)
            return written
        except OSError as error:
            # What is still buffered goes nowhere, so that Python's own last flush is quiet.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if isinstance(error, BrokenPipeError):
                raise SystemExit(READER_GONE) from None
            print(f"ami.stdout: Standard output cannot be written: {error.strerror}.", file=sys.stderr)
            raise SystemExit(2) from None


@contextmanager
def _reader_may_go() -> Iterator[None]:
    """Put our standard output in the place of Python's, and flush it before Python would."""
    old = sys.stdout
    if old is not sys.__stdout__ or not isinstance(old, io.TextIOWrapper):
        # Closed, or a test's own.
        yield
        return
    raw = _Stdout(old.fileno(), "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw),
        old.encoding,
        old.errors,
        line_buffering=old.line_buffering,
        write_through=old.write_through,
    )
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.stdout.flush()


def main() -> None:
    """Run the command; a user's error is one line on stderr and exit 2, an interrupt is exit 130, a reader that is gone 141."""
    with _reader_may_go():
        _main()


def _main() -> None:
    try:
        app()
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("AMI_DEBUG"):
            raise
        print(
            f"ami.internal: {type(error).__name__}: {error}. This is a fault of ami-testbed; AMI_DEBUG=1 shows where.",
            file=sys.stderr,
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
