"""``ami scenario`` but for ``run``: list, show, explain, begin, lint and judge scenarios. Imports nothing heavy before a command runs, so that --help is at once."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from scenarios.file.shipped import SCENARIOS
from simulator.verdicts import Mark, exit_code_of

#: What a run says that a signal ended.
SHUT_DOWN = "Stopped: the parties were shut down, the run is not complete."

scenario = typer.Typer(no_args_is_help=True, help="Scenarios: what happens, and what is expected of it.")

NamedFile = Annotated[
    Path,
    typer.Argument(
        help="A scenario file, or the name of a shipped one ('ami scenario list').", autocompletion=SCENARIOS.names
    ),
]
NamedFiles = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE|FOLDER|NAME]...",
        help="Scenario files, folders of them, or names of shipped ones ('ami scenario list').",
        show_default=False,
        autocompletion=SCENARIOS.names,
    ),
]
#: Folder of a run's results, unless another is named.
OUT = Path("ami-out")
#: Columns of what is printed, and those that mark and id take.
WIDTH, INDENT = 100, 29

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@scenario.command("list")
def list_shipped(as_json: AsJson = False) -> None:
    """List the shipped scenarios."""
    import json

    from scenarios.file.cases import cases

    # What is shipped is sound: what it tells of itself is read, and not what happens in it.
    rows = [
        {"name": told["name"], "title": told["title"], "tags": told.get("tags", []), "file": str(path)}
        for path in SCENARIOS.files().values()
        for told in (written.value for written in cases(path))
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        tags = f" [{', '.join(row['tags'])}]" if row["tags"] else ""
        typer.echo(f"{row['name']:<{width}}  {row['title']}{tags}\n{'':<{width}}  {row['file']}")


@scenario.command()
def lint(files: NamedFiles = None, as_json: AsJson = False) -> None:
    """Check scenario files, all of a folder's: their form, the policy, the plan, the world. All shipped ones if none is named.

    Prints every mistake on a line: code, file and line, field (entries of lists counted from 1), what is wrong, the mend. With --json line, column and excerpt too.
    Exit 0: sound, 2: not.
    """
    from scenarios.file.chosen import files_of
    from scenarios.file.lint import looked_at

    reports: list[dict[str, Any]] = []
    for path in files_of(files or (), every=not files):
        sound, mistakes = looked_at(path)
        reports.append({"file": str(path), "sound": bool(sound), "mistakes": [one.to_json() for one in mistakes]})
        if as_json:
            continue
        for mistake in mistakes:
            typer.echo(str(mistake.error), err=True)
        for one in sound:
            actions, meters = len(one.timeline), one.world.meters
            told = f"{actions} action{'s' * (actions != 1)}, {meters} meter{'s' * (meters != 1)}"
            typer.echo(f"{path}: sound. {one.name}, {told}.")
    if as_json:
        print_json(reports, alone=len(reports) == 1)
    if not all(report["sound"] for report in reports):
        raise typer.Exit(2)


@scenario.command()
def schema() -> None:
    """Print the JSON Schema of a scenario file, for an editor."""
    from scenarios.file.schema import scenario_schema

    print_json([scenario_schema()], alone=True)


@scenario.command()
def show(file: NamedFile, as_json: AsJson = False) -> None:
    """Tell a scenario in words: the world, the rules, what happens when and what must come of it."""
    from scenarios.file.lint import load_sound
    from scenarios.file.shown import in_words

    sound = load_sound(SCENARIOS.named(file))
    typer.echo(sound.model_dump_json(indent=1, exclude_unset=True) if as_json else in_words(sound))


@scenario.command()
def new(
    name: Annotated[str, typer.Argument(help="Its name: small letters, digits and hyphens.")],
    like: Annotated[
        Path,
        typer.Option(help="A scenario to begin with: a file, or a shipped one.", autocompletion=SCENARIOS.names),
    ] = Path("power-status-in-an-outage"),
    out: Annotated[Path | None, typer.Option(help="The file.", show_default="<name>.yaml")] = None,
) -> None:
    """Write a scenario file that is sound and like another, to be changed. No file is written over."""
    from scenarios.file.begun import begin

    path = begin(name, SCENARIOS.named(like), out or Path(f"{name}.yaml"))
    typer.echo(f"{path}: change it, look at it with 'ami scenario lint {shlex.quote(str(path))}', run it.")


@scenario.command("from")
def take_from(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A HAR, a wire.jsonl, or a recording.json.")],
    out: Annotated[Path | None, typer.Option(help="The file.", show_default="<name>.yaml")] = None,
    name: Annotated[str | None, typer.Option(help="Its name.", show_default="as the file's")] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            help="The scenario whose world, policy and accounts are taken; a recording's own unless given.",
            autocompletion=SCENARIOS.names,
        ),
    ] = None,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Operating day of the first entry.")
    ] = None,
) -> None:
    """Make a scenario of what a file saw: it plays the same again, and expects that it ends as it did.

    Secrets and ids of real people are left out; what could not be carried is told on stderr and in the file. No file is written over.
    """
    from scenarios.taken.taken import take

    taken = take(file, out, name, like, None if day is None else day.date())
    for line in taken.told:
        typer.echo(line, err=True)
    typer.echo(
        f"{taken.out}: {taken.counts}; look at it with 'ami scenario lint {shlex.quote(str(taken.out))}', run it."
    )


@scenario.command()
def explain(
    code: Annotated[str, typer.Argument(help="An error, a refusal, a result code, a rule, a requirement, a mark.")],
    as_json: AsJson = False,
) -> None:
    """Tell where a code comes from, what it means, and how to mend what it tells of. Exit 2: there is no such code."""
    from scenarios.rules.codes import explained

    found = explained(code)
    if as_json:
        print_json([one._asdict() for one in found])
        return
    for one in found:
        typer.echo(f"{one.code}: {one.kind}, {one.where}")
        for text in (one.means, one.mend):
            if text:
                typer.echo(_folded("  ", text, indent=2))


@scenario.command()
def registry(
    file: NamedFile,
    out: Annotated[Path, typer.Option(help="Folder for the CSV files; one that has a registry already is left alone.")],
    as_json: AsJson = False,
) -> None:
    """Write the registry of a scenario's world as CSV files, to be changed and named as its 'world.market.registry'."""
    from scenarios.file.lint import load_sound
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
        print_json([summary], alone=True)
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
    from scenarios.judging.exchanges import traffic_of
    from scenarios.judging.result import result_of
    from scenarios.judging.verdict import judge as judge_recording
    from scenarios.recording import load

    kept = load(recording)
    verdict = judge_recording(kept)
    result = result_of(kept, verdict, traffic_of(kept, recording.parent))
    if as_json:
        print_json([result], alone=True)
    else:
        print_verdict(str(recording), result)
    raise typer.Exit(exit_code_of(verdict.mark))


@scenario.command()
def wire(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="wire.jsonl of a run, or what --wire has written.")],
    as_json: AsJson = False,
) -> None:
    """Check a file of exchanges: whether every line is as it was written.

    Exit 0: whole, 1: cut, reordered or altered; the first such line is named. 2: no such file.
    """
    from dataclasses import asdict

    from simulator.tap.chain import check_chain

    found = check_chain(file)
    if as_json:
        print_json([asdict(found)], alone=True)
    else:
        ends = "closed" if found.closed else "not closed: its party runs still, or was killed"
        typer.echo(f"{file}: {found.fault or f'{found.exchanges:,} exchanges, whole, {ends}; last line {found.head}'}")
    raise typer.Exit(1 if found.fault else 0)


def print_json(results: Sequence[dict[str, Any]], *, alone: bool = False) -> None:
    """Print several as a list, one alone as itself."""
    import json

    content = results[0] if alone and results else results
    if content:
        typer.echo(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False))


def print_verdict(name: str, result: dict[str, Any]) -> None:
    """Plain lines of a result: one per step and check, a failure's reason and what it lacked below it; folded at 100 columns."""
    from scenarios.judging.result import label
    from scenarios.stamps import plain

    typer.echo(name)
    judged = [*result["steps"], *result["checks"]]
    for one in judged:
        typer.echo(_folded(f"  {one['mark']:<13} {label(one):<12} ", plain(one["happened"])))
        for failure in one["failures"]:
            text = f"{failure['what']}: expected {failure['expected']}, found {failure['found']}"
            typer.echo(_folded(f"{'':<{INDENT - 2}}! ", plain(text)))
        for lacked in one["lacking"]:
            typer.echo(_folded(f"{'':<{INDENT - 2}}? ", f"nothing to compare: {lacked}"))
    for mark in (Mark.PARTLY, Mark.EVIDENCE, Mark.SKIPPED, Mark.NOT_EXERCISED):
        its = [ident for ident, state in result["requirements"].items() if state == mark]
        if its:
            typer.echo(_folded("  ", f"requirements {mark.value}: {', '.join(its)}", indent=4))
    failed = [label(one) for one in judged if one["mark"] == Mark.FAILED]
    said = f"FAILED in {', '.join(failed)}" if failed else result["mark"]
    typer.echo(_folded("  ", f"verdict: {said}", indent=4))


def _folded(head: str, text: str, indent: int = INDENT) -> str:
    """Text behind a head, its further lines below where it begins. Words longer than a line are let be."""
    # A long id may reach beyond its column.
    return textwrap.fill(
        text, WIDTH, initial_indent=head, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
