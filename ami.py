"""The front door: one Typer app assembled from the rooms' own commands.

Nothing but what Python has loaded anyway is imported at the top, so that a Ctrl-C meets ``main`` and ends in one line; nothing heavy is
imported before a command runs, so that --help is at once.
"""

from __future__ import annotations

import io
import os
import sys

#: What ``typing`` has by this name, which takes a while to import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import typer

    from meters.errors import UserError

#: What a shell gives a command that SIGPIPE ended, and one that another signal ended, but for the signal's number.
READER_GONE, BY_SIGNAL = 141, 128
#: A fault of ours: whatever was asked is inconclusive.
INTERNAL = 3
#: The front door once it has been opened: its rooms keep the commands that are put into them, so that it is assembled once a process.
_OPENED: list[typer.core.TyperGroup] = []
#: What is wrong with an option's value, by pydantic's word for it.
_VALUES = {
    "int_parsing": "{input!r} is not a whole number.",
    "float_parsing": "{input!r} is not a number.",
    "greater_than_equal": "{input!r} is less than {ge}.",
    "less_than_equal": "{input!r} is more than {le}.",
}


def door() -> typer.core.TyperGroup:
    """Every command, as it runs."""
    if not _OPENED:
        import typer

        made = typer.main.get_command(_assembled())
        assert isinstance(made, typer.core.TyperGroup)
        _OPENED.append(made)
    return _OPENED[0]


def _assembled() -> typer.Typer:
    import typer

    from reports.commands.balance import balance
    from reports.commands.capacity.study import app as capacity
    from reports.commands.certify import app as certify
    from reports.commands.console import console
    from reports.commands.demo import demo, report
    from reports.commands.load import load
    from reports.commands.lse import app as lse
    from reports.commands.market import market_day
    from reports.commands.meters import list_meters, show_meter, tell_truth
    from reports.commands.plan import app as plan
    from reports.commands.scenario import coverage as cover_requirements
    from reports.commands.scenario import run as run_scenarios
    from reports.commands.vee import make, run, score
    from reports.commands.vee import report as batch_report
    from scenarios.cli import scenario
    from simulator.commands.accounts import app as accounts
    from simulator.commands.registry import smt_registry
    from simulator.commands.serve import headend_serve, meters_serve, ror_serve, sandbox, smt_serve
    from simulator.commands.vee import app as vee

    door = typer.Typer(
        name="ami",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    asked = typer.Option(False, "--version", is_eager=True, callback=_version, help="Print the version.")

    @door.callback()
    def front_door(version: bool = asked) -> None:
        """ami-testbed: a head-end simulator and meter emulator test bed for the Texas smart-meter market."""

    meters = typer.Typer(
        help="The emulated AMS meters: serve them, list them, show a day of one, measure the truth behind them.",
        no_args_is_help=True,
    )
    meters.command("serve")(meters_serve)
    meters.command("list")(list_meters)
    meters.command("show")(show_meter)
    meters.command("truth")(tell_truth)

    headend = typer.Typer(help="A TDSP's head-end alone.", no_args_is_help=True)
    smt = typer.Typer(help="Smart Meter Texas alone.", no_args_is_help=True)

    ror = typer.Typer(help="A retailer alone.", no_args_is_help=True)

    @headend.callback()
    @smt.callback()
    @ror.callback()
    def a_party() -> None:
        """A callback keeps 'serve' a word of its own where a party has one command."""

    headend.command("serve")(headend_serve)
    smt.command("serve")(smt_serve)
    ror.command("serve")(ror_serve)
    smt.command("registry")(smt_registry)

    for command in (make, run, score):
        vee.command()(command)
    vee.command("report")(batch_report)
    scenario.command("run")(run_scenarios)
    scenario.command("coverage")(cover_requirements)

    door.command()(balance)
    door.command()(console)
    door.command()(demo)
    door.command()(sandbox)
    door.command()(load)
    door.command()(market_day)
    door.command()(report)
    door.add_typer(meters, name="meters")
    door.add_typer(headend, name="headend")
    door.add_typer(smt, name="smt")
    door.add_typer(ror, name="ror")
    door.add_typer(vee, name="vee")
    door.add_typer(lse, name="lse")
    door.add_typer(plan, name="plan")
    door.add_typer(accounts, name="accounts")
    door.add_typer(scenario, name="scenario")
    door.add_typer(certify, name="certify")
    door.add_typer(capacity, name="capacity")
    return door


def _version(wanted: bool) -> None:
    if wanted:
        import typer

        from simulator.versions import product

        typer.echo(product())
        raise typer.Exit


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


def main() -> None:
    """Be the process of a command: Ctrl-C is exit 130, SIGTERM 143, a reader that is gone 141, a verdict that failed 1, what could not run 2, inconclusive 3."""
    try:
        import gc
        import signal

        for number in (signal.SIGINT, signal.SIGTERM):
            # Ignored is what a shell has it for a command in the background.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _stop)
    except KeyboardInterrupt:
        _stop()
    # The libraries bring half a million objects that live as long as the process, and the collector would look through them ten times.
    gc.set_threshold(50_000, 20, 100)
    stdout = _put_stdout()
    try:
        run()
    finally:
        # All goes with the process: to look through it for what could go alone takes Python up to a second.
        gc.freeze()
        # Before Python would. A closed one cannot be.
        if stdout is not None and not stdout.closed:
            stdout.flush()


def _stop(number: int = 2, *_: object) -> None:
    """End at once: while a library is imported, an exception may be printed, wrapped or swallowed by it.

    What has begun something that is to be closed takes signals itself (``simulator/runtime/until_stopped.py``).
    """
    try:
        os.write(2, b"stopped.\n")
    finally:
        os._exit(BY_SIGNAL + number)


def _put_stdout() -> io.TextIOWrapper | None:
    """Put our standard output in the place of Python's and return it; None if it is closed."""
    old = sys.stdout
    if not isinstance(old, io.TextIOWrapper):
        return None
    ours = io.TextIOWrapper(
        io.BufferedWriter(_Stdout(old.fileno(), "w", closefd=False)),
        old.encoding,
        old.errors,
        line_buffering=old.line_buffering,
        write_through=old.write_through,
    )
    sys.stdout = ours
    return ours


def run() -> None:
    """Run the command; a user's error is one line on stderr and exit 2, a fault of ours exit 3."""
    try:
        sys.exit(door()(prog_name="ami", standalone_mode=False) or 0)
    except Exception as error:
        import typer

        from meters.errors import UserError

        if isinstance(error, typer.TyperException):
            # The help that a group shows without a command has been shown.
            if not error.format_message():
                sys.exit(2)
            error = _misused(error)
        if isinstance(error, UserError):
            print(error, file=sys.stderr)
            sys.exit(error.exit_code)
        if os.environ.get("AMI_DEBUG"):
            raise
        print(
            f"ami.internal: {type(error).__name__}: {error}. This is a fault of ami-testbed; AMI_DEBUG=1 shows where.",
            file=sys.stderr,
        )
        sys.exit(INTERNAL)


def _misused(error: typer.TyperException) -> UserError:
    """What is wrong with the command line, as errors are told here."""
    from meters.errors import UserError

    context, param = getattr(error, "ctx", None), getattr(error, "param", None)
    command = context.command_path if context else "ami"
    place, sentence = command, f"{error.format_message().rstrip('.')}."
    cause: Any = error.__cause__
    if hasattr(cause, "errors"):
        first = cause.errors(include_url=False)[0]
        place = param.opts[0] if param else command
        sentence = _VALUES.get(first["type"], "{msg}.").format(**first, **first.get("ctx", {}))
    return UserError("ami.usage", sentence, place, f"'{command} --help' tells what it takes.")


if __name__ == "__main__":
    main()
