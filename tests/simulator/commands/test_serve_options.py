"""A command's options are the fields of a record, those of a record in it in its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer
from typer.testing import CliRunner

from simulator.commands.serve import asked


@dataclass(frozen=True)
class Clock:
    speed: Annotated[float, typer.Option(help="How quick.")] = 1.0


@dataclass(frozen=True)
class Options:
    port: Annotated[int, typer.Option(help="Where.", min=0)] = 8600
    clock: Clock = field(default_factory=Clock)
    name: Annotated[str, typer.Option(help="Who.")] = "smt"


def test_a_command_is_called_with_the_record_that_its_options_fill() -> None:
    app, called = typer.Typer(), list[Options]()

    @app.command()
    @asked(Options)
    def serve(options: Options) -> None:
        """Serve."""
        called.append(options)

    for words in ([], ["--speed", "60", "--port", "0", "--name", "ror"]):
        assert CliRunner().invoke(app, words).exit_code == 0
    assert called == [Options(), Options(0, Clock(60.0), "ror")]
    assert CliRunner().invoke(app, ["--port", "-1"]).exit_code == 2
    told = CliRunner().invoke(app, ["--help"]).stdout
    places = [told.index(option) for option in ("--port", "--speed", "--name")]
    assert places == sorted(places)
