"""``ami scenario``: list, lint, run and judge scenarios. Imports nothing heavy before a command runs, so that --help is at once."""

from __future__ import annotations

import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scenarios.shipped import SCENARIOS
from simulator.verdicts import Mark, exit_code_of

if TYPE_CHECKING:
    from scenarios.judging.findings import Verdict

#: What a run says that a signal ended.
SHUT_DOWN = "Stopped: the parties were shut down, the run is not complete."

scenario = typer.Typer(no_args_is_help=True, help="Scenarios: what happens, and what is expected of it.")

NamedFile = Annotated[
    Path,
    typer.Argument(
        help="A scenario file, or the name of a shipped one ('ami scenario list').", autocompletion=SCENARIOS.names
    ),
]
#: Columns of what is printed, and those that mark and id take.
WIDTH, INDENT = 100, 29

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@scenario.command("list")
def list_shipped(as_json: AsJson = False) -> None:
    """List the shipped scenarios."""
    import json

    from scenarios.schema import load

    found = [(path, load(path)) for path in SCENARIOS.files().values()]
    if as_json:
        rows = [{"name": shipped.name, "title": shipped.title, "file": str(path)} for path, shipped in found]
        typer.echo(json.dumps(rows, indent=1))
        return
    width = max(len(shipped.name) for _, shipped in found)
    for path, shipped in found:
        typer.echo(f"{shipped.name:<{width}}  {shipped.title}\n{'':<{width}}  {path}")


@scenario.command()
def lint(file: NamedFile, as_json: AsJson = False) -> None:
    """Check a scenario file: its form, the policy, the plan, the world.

    Prints every mistake on a line: code, file and line, field (entries of lists counted from 1), what is wrong, the mend.
    Exit 0: sound, 2: not.
    """
    from scenarios.lint import lint as lint_file

    path = SCENARIOS.named(file)
    sound, mistakes = lint_file(path)
    if as_json:
        told = [{"code": one.code, "place": one.place, "message": one.message, "mend": one.mend} for one in mistakes]
        _print_json([{"file": str(path), "sound": sound is not None, "mistakes": told}], alone=True)
    else:
        for mistake in mistakes:
            typer.echo(str(mistake), err=True)
        if sound is not None:
            typer.echo(f"{path}: sound. {sound.name}, {len(sound.timeline)} actions, {sound.world.meters} meters.")
    if sound is None:
        raise typer.Exit(2)


@scenario.command()
def schema() -> None:
    """Print the JSON Schema of a scenario file, for an editor."""
    from scenarios.schema import scenario_schema

    _print_json([scenario_schema()], alone=True)


@scenario.command()
def run(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Scenario files, or names of shipped ones ('ami scenario list').", autocompletion=SCENARIOS.names
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; one per scenario in it if there are several.", show_default="ami-out/<name>"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run scenarios on real parts and judge them.

    Exit 0: passed, 1: a verdict failed or nothing passed, 2: could not run, 3: inconclusive, a fault of ours. Of several scenarios the highest.
    """
    from meters.errors import UserError
    from scenarios.errors import ScenarioError
    from scenarios.lint import load_sound
    from scenarios.run import progress_bar, run_and_judge
    from simulator.runtime.until_stopped import breaking_off

    loaded = [load_sound(SCENARIOS.named(file)) for file in files]
    names = [sound.name for sound in loaded]
    double = [name for name in names if names.count(name) > 1]
    if double:
        raise ScenarioError(
            "scenario.double", f"Two files hold a scenario named {double[0]}.", str(files[0]), "Rename one."
        )
    results: list[dict[str, Any]] = []
    code = 0
    for sound in loaded:
        folder = _folder(out, sound.name, alone=len(loaded) == 1)
        try:
            with breaking_off(SHUT_DOWN), progress_bar(sound.name, hidden=as_json) as progress:
                done = run_and_judge(sound, folder, progress)
        except UserError as error:
            # The others still have their say.
            typer.echo(f"{sound.name}: {error}", err=True)
            code = max(code, error.exit_code)
            continue
        code = max(code, exit_code_of(done.verdict.mark))
        if as_json:
            results.append(done.result)
        else:
            _print(sound.name, done.verdict)
            typer.echo(f"  files: recording.json, result.json, run.json, faults.json (and .parquet), lse/ in {folder}")
            typer.echo(f"ami report {shlex.quote(str(folder))} makes the page")
    if as_json:
        _print_json(results, alone=len(loaded) == 1)
    raise typer.Exit(code)


def _folder(out: Path | None, name: str, *, alone: bool) -> Path:
    if out is None:
        return Path("ami-out") / name
    return out if alone else out / name


@scenario.command()
def registry(
    file: NamedFile,
    out: Annotated[Path, typer.Option(help="Folder for the CSV files; one that has a registry already is left alone.")],
    as_json: AsJson = False,
) -> None:
    """Write the registry of a scenario's world as CSV files, to be changed and named as its 'world.market.registry'."""
    from scenarios.lint import load_sound
    from simulator.runtime.folder import own
    from simulator.smt.registry.csv_files import write_new_registry
    from simulator.world.market import build_market
    from simulator.world.meters import build

    sound = load_sound(SCENARIOS.named(file))
    records = build_market(build(sound.world, sound.seed)).registry
    with own(out, ()):
        write_new_registry(records, out)
    if as_json:
        summary = {"folder": str(out), "esiids": len(records.points), "logins": len(records.users)}
        _print_json([summary], alone=True)
    else:
        typer.echo(f"{len(records.points)} service points, {len(records.users)} log-ins: {out}")


@scenario.command()
def judge(
    recording: Annotated[Path, typer.Argument(metavar="FILE", help="recording.json of a run.")],
    as_json: AsJson = False,
) -> None:
    """Judge a recording again.

    Exit 0: passed, 1: a verdict failed or nothing passed, 2: could not judge (no recording, or a damaged one), 3: inconclusive, a fault of ours.
    """
    from scenarios.judging.result import result_of
    from scenarios.judging.verdict import judge as judge_recording
    from scenarios.recording import load

    kept = load(recording)
    verdict = judge_recording(kept)
    if as_json:
        _print_json([result_of(kept, verdict)], alone=True)
    else:
        _print(str(recording), verdict)
    raise typer.Exit(exit_code_of(verdict.mark))


def _print_json(results: list[dict[str, Any]], *, alone: bool) -> None:
    import json

    content = results[0] if alone and results else results
    if content:
        typer.echo(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False))


def _print(name: str, verdict: Verdict) -> None:
    """Plain lines: one per step and check, a failure's reason and what it lacked below it; folded at 100 columns."""
    from scenarios.stamps import plain

    typer.echo(name)
    for judged in verdict.judged:
        typer.echo(_folded(f"  {judged.mark.value:<13} {judged.label:<12} ", plain(judged.happened)))
        for failure in judged.failures:
            text = f"{failure.what}: expected {failure.expected}, found {failure.found}"
            typer.echo(_folded(f"{'':<{INDENT - 2}}! ", plain(text)))
        for lacked in judged.lacking:
            typer.echo(_folded(f"{'':<{INDENT - 2}}? ", f"nothing to compare: {lacked}"))
    for mark in (Mark.PARTLY, Mark.EVIDENCE, Mark.SKIPPED, Mark.NOT_EXERCISED):
        its = [ident for ident, state in verdict.requirements.items() if state is mark]
        if its:
            typer.echo(_folded("  ", f"requirements {mark.value}: {', '.join(its)}", indent=4))
    failed = [judged.label for judged in verdict.judged if judged.mark is Mark.FAILED]
    said = f"FAILED in {', '.join(failed)}" if failed else verdict.mark.value
    typer.echo(_folded("  ", f"verdict: {said}", indent=4))


def _folded(head: str, text: str, indent: int = INDENT) -> str:
    """Text behind a head, its further lines below where it begins. Words longer than a line are let be."""
    # A long id may reach beyond its column.
    return textwrap.fill(
        text, WIDTH, initial_indent=head, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
