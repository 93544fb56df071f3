"""Options that the commands of single parties share: how the clock is told. Nothing heavy is imported here."""

from __future__ import annotations

from typing import Annotated

import typer

ClockOption = Annotated[str, typer.Option(help="real or scaled.")]
SpeedOption = Annotated[float, typer.Option(help="Model seconds per wall second on the scaled clock.")]
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
JsonOption = Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")]
