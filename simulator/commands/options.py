"""Options that several commands have: which clock, which meters, where to listen, what to keep and print. Nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _policies() -> list[str]:
    """Every preset, for the shell."""
    from simulator.smt.throttle.policy import preset_names

    return preset_names()


ClockOption = Annotated[str, typer.Option(help="real or scaled; real unless given.")]
SpeedOption = Annotated[
    float | None, typer.Option(help="Model seconds per wall second on the scaled clock; 60 unless given.")
]
DateOption = Annotated[
    str, typer.Option(help="Where the model's time begins: 2026-08-12 (noon) or 2026-08-12T17:40; now unless given.")
]
WallStartOption = Annotated[
    float,
    typer.Option(
        help="Unix seconds at which the model's time was --date, as a ready line's clock tells it; when ready, unless given."
    ),
]
ClockOfOption = Annotated[
    str, typer.Option(help="Share another party's clock: its URL, or a file with its ready line.")
]
KeepOption = Annotated[
    bool, typer.Option("--keep/--fresh", help="Go on from what --out holds, or clear what an earlier run left there.")
]
LogOption = Annotated[str, typer.Option(help="Structured log, JSON lines: a file, or - for standard error.")]
HostOption = Annotated[str, typer.Option(help="The address to listen on.")]
PolicyOption = Annotated[
    str,
    typer.Option(
        help="Throttle: a preset (n-per-day:amount=3 sets its parameter) or a YAML file.", autocompletion=_policies
    ),
]
TlsOption = Annotated[bool, typer.Option("--tls", help="SMT over HTTPS, with a certificate of the local CA.")]
DatabaseOption = Annotated[
    str, typer.Option(help="SQLAlchemy URL of SMT's database; a SQLite file in --out unless given.")
]
TdspOption = Annotated[str, typer.Option(help="Whose meters: ONCOR, CENTERPOINT, AEP_CENTRAL, AEP_NORTH or TNMP.")]
FleetSeedOption = Annotated[int, typer.Option(help="Which meters: the same seed makes the same ones.", min=0)]
MixOption = Annotated[str, typer.Option(help="homes, or market: with roofs, cars and small businesses.")]
FaultsOption = Annotated[Path | None, typer.Option(help="A YAML file of faults.")]
ReplayOption = Annotated[
    Path | None,
    typer.Option(help="An SMT interval CSV, or a CSV profile, that the first meter's load is taken from."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")]
