"""``ami load``: a workload played live. Imports nothing heavy before the command runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reports.commands.capacity.compare import shipped_workloads
from scenarios.cli import AsJson

if TYPE_CHECKING:
    from simulator.load.player import LoadPlayer

#: A sandbox's, as it begins without options.
SMT, CALLERS = "http://127.0.0.1:8600", Path("ami-out/sandbox/callers.csv")


def load(
    workload: Annotated[
        str,
        typer.Argument(
            metavar="WORKLOAD|FILE",
            help="A shipped workload ('ami capacity workload') or a file of yours.",
            autocompletion=shipped_workloads,
        ),
    ],
    smt: Annotated[
        list[str] | None, typer.Option(help="SMT's base URL; again for each of several.", show_default=SMT)
    ] = None,
    callers: Annotated[
        Path,
        typer.Option(help="CSV of who may ask for what: esiid, meter_number, requester, username, password, duns."),
    ] = CALLERS,
    ca: Annotated[Path | None, typer.Option(help="PEM file of the authority behind SMT's certificate.")] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=86_400,
            help="How many times as fast as the wall's.",
            show_default="SMT's own clock, or 1 where it tells none",
        ),
    ] = None,
    hours: Annotated[
        str, typer.Option(help="These hours of it alone, counted from its first midnight: 17-18.", show_default="all")
    ] = "",
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many requests, evenly spread over the time.", show_default="all"),
    ] = None,
    replication: Annotated[int, typer.Option(min=0, help="Which draw of it.")] = 0,
    to: Annotated[
        Path | None,
        typer.Option(
            "--progress",
            help="File for how it stands, a line of JSON each; the console shows those in ami-out/loads/NAME/progress.jsonl.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play a workload against a running SMT: everybody asks at the planned instant through his door, and polls as its users do. It begins now.

    Exit 0: played, 2: could not run, 130: broken off (143 by SIGTERM) with what came of it up to then.
    """
    import json

    from reports.terminal import Bar
    from simulator.capacity.workload.chosen import chosen_workload
    from simulator.load.alone import callers_in, clock_at, part_of, play_at
    from simulator.load.cast import cast
    from simulator.load.told import facts, standing
    from simulator.runtime.progress_file import ProgressFile
    from simulator.runtime.until_stopped import Stopped, run_stoppable

    plan, rights = chosen_workload(workload), callers_in(callers)
    given = cast(part_of(plan, replication, hours, limit), rights)
    urls = [url.rstrip("/") for url in smt or [SMT]]
    clock = clock_at(urls[0], speed)
    players: list[LoadPlayer] = []
    stopped = 0
    with Bar("requests", hidden=as_json) as bar, ProgressFile(to) as file:

        def looked(player: LoadPlayer) -> None:
            file.tell("reached", **standing(player))

        file.tell("begun", kind="load", name=plan.spec.name, title=plan.spec.title, smt=urls[0])
        try:
            run_stoppable(play_at(urls, ca, clock, given, players.append, bar.show, looked))
        except Stopped as signal:
            stopped = 128 + signal.number
        if players:
            looked(players[0])
        if stopped:
            file.tell("stopped", error="It was stopped.")
    if players:
        told = facts(players[0], clock.rate)
        typer.echo(json.dumps(told) if as_json else "\n".join(lines(told)))
    if stopped:
        typer.echo(
            "load.interrupted: Stopped. What was under way goes on at SMT, and is not looked at any more.", err=True
        )
    raise typer.Exit(stopped)


def lines(told: dict[str, Any]) -> Iterator[str]:
    """What came of it, for people: a row a class and kind."""
    esiids = told["esiids"]
    yield (
        f"{told['workload']}: {told['asked']:,} of {told['requests']:,} requests asked, {told['calls']:,} HTTP calls; "
        f"{esiids['of_the_workload']:,} ESI IDs of the workload are {esiids['here']:,} here."
    )
    for why, count in told["left_out"].items():
        yield f"Left out: {count:,} requests, for {why}."
    yield ""
    yield f"{'':<28}{'asked':>8}{'answered':>9}{'in call':>8}{'refused':>8}{'failed':>7}{'no end':>7}{'p50 s':>8}{'p95 s':>8}"
    for one in told["groups"]:
        counts = [
            one["asked"],
            one["answered"],
            one["in_call"],
            *(sum(one[of].values()) for of in ("refused", "failed")),
        ]
        widths = (8, 9, 8, 8, 7)
        took = "".join(f"{'-' if one[of] is None else format(one[of], ',.1f'):>8}" for of in ("p50_s", "p95_s"))
        yield (
            f"{(one['class'] + ' ' + one['kind']).strip():<28}"
            + "".join(f"{count:>{width},}" for count, width in zip(counts, widths, strict=True))
            + f"{one['unanswered'] + one['under_way']:>7,}{took}"
        )
    for what in ("refused", "failed"):
        for code, count in told["groups"][-1][what].items() if told["groups"] else ():
            yield f"{what}: {count:,} {code}"
    late = told["late_s"]
    yield ""
    yield "Seconds of model time from the planned arrival to when the answer was seen, of those answered; no end: polled in vain, or still under way."
    if late["p95"] is not None:
        kept = "" if told["kept_pace"] else " The player did not keep its pace: these figures show its own delay."
        yield f"The player itself asked {late['p95']:.2f} s late at the 95th percentile, {late['most_wall']:.2f} s of the wall's at most.{kept}"
