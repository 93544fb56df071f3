"""``ami demo`` and ``ami report``. Imports nothing heavy before a command runs, so that --help is at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenarios.cli import AsJson
from simulator.verdicts import exit_code_of

#: The demo is this scenario and no special code.
DEMO = "customer-balance-inquiry"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the report, the results and the LSE files.")] = Path(
        "ami-out/demo"
    ),
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the arithmetic: the bill's lines, and what it rests on.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON on stdout, all else on stderr.")
    ] = False,
) -> None:
    """Run the Customer Balance Inquiry end to end on real sockets: seven steps, the bill, the verdict. Under a minute.

    Exit 0: passed, 1: a step or check failed, 2: could not run, 3: inconclusive, a fault of ours.
    """
    from reports.scenario.page import render_run
    from reports.scenario.terminal import print_files, print_result
    from reports.terminal import console
    from scenarios.cli import SHUT_DOWN
    from scenarios.file.schema import load
    from scenarios.file.shipped import SCENARIOS
    from scenarios.judging.result import dumps
    from scenarios.run import progress_bar, run_and_judge
    from simulator.runtime.until_stopped import breaking_off

    with breaking_off(SHUT_DOWN):
        with progress_bar("Customer Balance Inquiry") as progress:
            done = run_and_judge(load(SCENARIOS.files()[DEMO]), out, progress)
        render_run(done)
    to = console(stderr=as_json)
    print_result(to, done.result, done.recording.world, explain=explain)
    print_files(to, out, done.seconds)
    if as_json:
        typer.echo(dumps(done.result), nl=False)
    raise typer.Exit(exit_code_of(done.verdict.mark))


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a scenario's run or of a load study.")],
    as_json: AsJson = False,
) -> None:
    """Render the pages of a folder of results again.

    Exit 0: what they tell passed, 1: a verdict failed or nothing passed, 2: no page could be made, 3: inconclusive.
    """
    import json

    from scenarios.errors import ScenarioError

    if (folder / "recording.json").is_file():
        from reports.scenario.page import render
        from scenarios.judging.verdict import judge
        from scenarios.recording import load

        recording = load(folder / "recording.json")
        page, mark = render(recording, folder), judge(recording).mark
    elif (folder / "outcome.json").is_file():
        from reports.capacity.page import render as render_load
        from simulator.capacity.levels import judge as judge_load
        from simulator.capacity.outcome import Outcome

        outcome = Outcome.load(folder)
        page, mark = render_load(outcome, folder), judge_load(outcome).mark
    else:
        raise ScenarioError(
            "report.nothing",
            "There is neither a recording.json nor an outcome.json.",
            str(folder),
            "Name the folder of 'ami demo', 'ami scenario run' or 'ami capacity run'.",
        )
    typer.echo(json.dumps({"report": str(page), "mark": mark}) if as_json else page)
    raise typer.Exit(exit_code_of(mark))
