"""``ami scenario``: list, lint, run and judge scenarios. Imports nothing heavy before a command runs, so that --help is at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from scenarios.findings import Verdict

#: Exit codes: everything passed, a verdict failed, it could not run, the user broke off.
PASSED, FAILED, COULD_NOT_RUN, BROKEN_OFF = 0, 1, 2, 130

scenario = typer.Typer(no_args_is_help=True, help="Scenarios: what happens, and what is expected of it.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@contextmanager
def breaking_off() -> Iterator[None]:
    """End on Ctrl-C with one line; by then the sockets are closed."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("Stopped: the parties were shut down, the run is not complete.", err=True)
        raise typer.Exit(BROKEN_OFF) from None


@scenario.command("list")
def list_shipped(as_json: AsJson = False) -> None:
    """List the shipped scenarios."""
    import json

    from scenarios.schema import load, shipped

    found = [(path, load(path)) for path in shipped()]
    if as_json:
        rows = [{"name": one.name, "title": one.title, "file": str(path)} for path, one in found]
        typer.echo(json.dumps(rows, indent=1))
        return
    width = max(len(one.name) for _, one in found)
    for path, one in found:
        typer.echo(f"{one.name:<{width}}  {one.title}\n{'':<{width}}  {path}")


@scenario.command()
def lint(file: Annotated[Path, typer.Argument(help="A scenario file.")]) -> None:
    """Check a scenario file: its form, the policy, the plan, the world. Exit 2 with file and field if it is not sound."""
    from scenarios.runner import check
    from scenarios.schema import load

    one = load(file)
    check(one)
    typer.echo(f"{file}: sound. {one.name}, {len(one.timeline)} actions, {one.world.meters} meters.")


@scenario.command()
def run(
    files: Annotated[list[Path], typer.Argument(help="Scenario files.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the results; one per scenario in it if there are several [ami-out/<name>]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run scenarios on real parts and judge them. Exit 0: all passed, 1: a verdict failed, 2: could not run."""
    from meters.errors import UserError
    from scenarios.errors import ScenarioError
    from scenarios.play import play, progress_bar
    from scenarios.schema import load

    loaded = [load(file) for file in files]
    names = [one.name for one in loaded]
    double = [name for name in names if names.count(name) > 1]
    if double:
        raise ScenarioError(
            "scenario.double", f"Two files hold a scenario named {double[0]}.", str(files[0]), "Rename one."
        )
    results: list[dict[str, Any]] = []
    code = PASSED
    for one in loaded:
        folder = _folder(out, one.name, alone=len(loaded) == 1)
        try:
            with breaking_off(), progress_bar(one.name, hidden=as_json) as told:
                played = play(one, folder, told)
        except UserError as error:
            # The others still have their say.
            typer.echo(f"{one.name}: {error}", err=True)
            code = COULD_NOT_RUN
            continue
        if not played.verdict.passed:
            code = max(code, FAILED)
        if as_json:
            results.append(played.result)
        else:
            _print(one.name, played.verdict)
            typer.echo(f"{folder}: recording.json, result.json, run.json, lse/ ('ami report {folder}' makes the page)")
    if as_json:
        _print_json(results, alone=len(loaded) == 1)
    raise typer.Exit(code)


def _folder(out: Path | None, name: str, *, alone: bool) -> Path:
    if out is None:
        return Path("ami-out") / name
    return out if alone else out / name


@scenario.command()
def judge(
    recording: Annotated[Path, typer.Argument(help="recording.json of a run.")],
    as_json: AsJson = False,
) -> None:
    """Judge a recording again. Exit 0: passed, 1: failed."""
    from scenarios.recording import load
    from scenarios.result import result_of
    from scenarios.verdict import judge as judge_recording

    kept = load(recording)
    verdict = judge_recording(kept)
    if as_json:
        _print_json([result_of(kept, verdict)], alone=True)
    else:
        _print(str(recording), verdict)
    raise typer.Exit(PASSED if verdict.passed else FAILED)


def _print_json(results: list[dict[str, Any]], *, alone: bool) -> None:
    import json

    content = results[0] if alone and results else results
    if content:
        typer.echo(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False))


def _print(name: str, verdict: Verdict) -> None:
    """Plain lines: one per step and check, a failure's reason below it."""
    typer.echo(name)
    for one in verdict.judged:
        typer.echo(f"  {one.mark.value:<12} {one.id:<12} {one.happened}")
        for failure in one.failures:
            typer.echo(f"  {'':<12} {'':<12} ! {failure.what}: expected {failure.expected}, found {failure.found}")
    short = [ident for ident, state in verdict.requirements.items() if state == "not exercised"]
    typer.echo(f"  requirements not exercised: {', '.join(short) or 'none'}")
    typer.echo(f"  verdict: {'passed' if verdict.passed else 'FAILED'}")
