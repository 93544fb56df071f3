"""The front door: one Typer app assembled from the rooms' own commands. It imports nothing heavy, so that --help is at once."""

from __future__ import annotations

import os
import sys

import typer

from meters.errors import UserError
from reports.capacity_cli import app as capacity
from reports.cli import demo, report
from scenarios.cli import scenario
from simulator.cli import sandbox

app = typer.Typer(
    name="ami",
    help="ami-testbed: a head-end simulator and meter emulator test bed for the Texas smart-meter market.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(sandbox)
app.command()(report)
app.add_typer(scenario, name="scenario")
app.add_typer(capacity, name="capacity")


def main() -> None:
    """Run the command; a user's error is one line on stderr and exit 2, an interrupt is exit 130."""
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
