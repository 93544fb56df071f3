"""``ami scenario run`` and ``coverage``. Imports nothing heavy before a command runs, so that --help is at once."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scenarios.cli import OUT, SHUT_DOWN, AsJson, NamedFiles, print_json, print_verdict

if TYPE_CHECKING:
    from scenarios.file.schema import Scenario
    from scenarios.many import Played


def run(
    files: NamedFiles = None,
    every: Annotated[bool, typer.Option("--all", help="Every shipped scenario.")] = False,
    tag: Annotated[
        str | None, typer.Option(help="Those that have this tag alone; of the shipped ones if no file is named.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; one per scenario in it if there are several.", show_default="ami-out/<name>"
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Processes to run in.")] = os.cpu_count() or 1,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Play no more after the first that does not pass.")
    ] = False,
    junit: Annotated[Path | None, typer.Option(help="File for JUnit's XML: a test case per step and check.")] = None,
    summary: Annotated[Path | None, typer.Option(help="File for a table in Markdown.")] = None,
    progress: Annotated[
        Path | None, typer.Option(help="File for how far it is, a line of JSON each, of one scenario.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run scenarios on real parts, judge them, and make their pages; of several an index page too.

    Exit 0: passed, 1: a verdict failed or nothing passed, 2: could not run, 3: inconclusive, a fault of ours. Of several scenarios the highest.
    """
    from reports.scenario.summary import as_junit, as_markdown
    from scenarios.errors import ScenarioError
    from scenarios.file.chosen import chosen
    from simulator.runtime.until_stopped import breaking_off

    scenarios = chosen(files or (), every=every, tag=tag)
    alone, root = len(scenarios) == 1, out or OUT
    if progress is not None and not alone:
        text, mend = "How far it is is told of one scenario.", "Name one, or leave it away."
        raise ScenarioError("scenario.progress", text, "--progress", mend)
    folders = [out if out and alone else root / one.name for one in scenarios]
    played: list[Played] = []
    with breaking_off(SHUT_DOWN):
        try:
            if alone:
                played.append(_play_one(scenarios[0], folders[0], progress, hidden=as_json))
            else:
                _play_many(list(zip(scenarios, folders, strict=True)), jobs, fail_fast, as_json, played)
        finally:
            # What was judged is kept and told, whoever breaks off the rest.
            played.sort(key=lambda one: folders.index(one.out))
            if junit:
                _write(junit, as_junit(played), "--junit")
            if summary:
                _write(summary, as_markdown(played, len(scenarios)), "--summary")
            if not alone:
                _tell_many(played, len(scenarios), root, quiet=as_json)
    if as_json:
        print_json([one.result for one in played if one.result], alone=alone)
    raise typer.Exit(max((one.code for one in played), default=2))


def coverage(
    files: NamedFiles = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Print alone what nothing shows and nothing is said of; exit 1 if there is any."),
    ] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="File for the table as CSV.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="File for the table as a page.")] = None,
    mutants: Annotated[
        Path | None, typer.Option(help="Folder of tables whose column 'bends' names requirements.")
    ] = None,
    runs: Annotated[Path | None, typer.Option(help="Folder of results: what they say of each requirement.")] = None,
) -> None:
    """Tell of each requirement which scenarios show it, what is made to fail by it, which tests stand in for a scenario and why.

    Of all shipped scenarios if none is named; nothing is run. Exit 0: done, 1: --check found some, 2: could not read.
    """
    from reports.scenario.coverage import coverage_page, coverage_text, tallied
    from scenarios.coverage import as_csv
    from scenarios.coverage import coverage as covered_by
    from scenarios.file.chosen import chosen

    found = covered_by(chosen(files or (), every=not files), mutants, runs)
    missing = [one for one in found if one.missing]
    if csv:
        _write(csv, as_csv(found), "--csv")
    if html:
        _write(html, coverage_page(found), "--html")
    for one in missing if check else found:
        typer.echo(coverage_text(one))
    typer.echo(tallied(found))
    raise typer.Exit(1 if check and missing else 0)


def _play_one(scenario: Scenario, folder: Path, told: Path | None, *, hidden: bool) -> Played:
    from reports.scenario.page import render_run
    from scenarios.many import play
    from scenarios.run import progress_bar, telling
    from simulator.runtime.progress_file import ProgressFile

    with ProgressFile(told) as file, progress_bar(scenario.name, hidden=hidden) as bar:
        done = play(scenario, folder, render_run, bar if told is None else telling(file, scenario, bar))
        if done.error:
            file.tell("stopped", error=done.error)
    if done.result is None:
        typer.echo(f"{done.name}: {done.error}", err=True)
    elif not hidden:
        print_verdict(done.name, done.result)
        typer.echo(f"  files: recording.json, result.json, run.json, faults.json (and .parquet), lse/ in {folder}")
        typer.echo(f"  page: {folder / 'report.html'}")
    return done


def _play_many(
    scenarios: list[tuple[Scenario, Path]], jobs: int, fail_fast: bool, hidden: bool, played: list[Played]
) -> None:
    """Play them and add each to ``played`` when it has ended."""
    from reports.scenario.page import render_run
    from reports.terminal import Bar
    from scenarios.many import play_all

    ends = play_all(scenarios, render_run, min(jobs, len(scenarios)))
    with Bar("scenarios", hidden=hidden) as bar, closing(ends):
        bar.show(0, len(scenarios))
        for one in ends:
            played.append(one)
            bar.show(len(played), len(scenarios))
            if one.result is None:
                typer.echo(f"{one.name}: {one.error}", err=True)
            if fail_fast and one.code:
                return


def _tell_many(played: list[Played], of: int, root: Path, *, quiet: bool) -> None:
    """Write the index page, and print the closing table."""
    from reports.scenario.index import index_page
    from reports.scenario.summary import as_text, tallied

    index = root / "index.html"
    _write(index, index_page(played, of, root), "--out")
    if not quiet:
        typer.echo(as_text(played))
        typer.echo(f"{tallied(played, of)}; {sum(one.cpu_s for one in played):.1f} CPU s. Pages: {index}")


def _write(path: Path, text: str, option: str) -> None:
    from scenarios.errors import ScenarioError
    from simulator.runtime.folder import write_whole

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    except OSError as error:
        said, mend = f"The file cannot be written: {error.strerror}.", f"Name another with {option}."
        raise ScenarioError("out.unusable", said, str(path), mend) from None
