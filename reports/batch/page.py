"""The page of a day's batch: how far it is, how much was collected and estimated, what the rules found and of whom, what was corrected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headend.service.batch_wire import BatchReport, BatchRun
from headend.store.partitions import State
from headend.vee.rules import RULES
from simulator.web.frame import framed, templates
from simulator.web.kinds import ACTUAL, ESTIMATED
from simulator.web.parts import Table
from simulator.web.rows import Marks, Rows


def page_of(batch: BatchReport) -> str:
    """The whole page."""
    first, *later = batch.runs
    rules = sorted(
        {one.rule for run in batch.runs for one in run.findings}, key=lambda rule: (-_found(first, rule), rule)
    )
    body = (
        templates(Path(__file__).parent)
        .get_template("page.html.j2")
        .render(
            batch=batch,
            first=first,
            unposted=sum(run.partitions - run.partitionsPosted for run in batch.runs),
            done=all(run.state is State.POSTED for run in batch.runs),
            revised=sum(run.esiidsRevised or 0 for run in later),
            runs=[_run(run) for run in batch.runs],
            rules=[_rule(rule, batch.runs) for rule in rules],
            offenders=[(run.run, one) for run in batch.runs for one in run.topOffenders],
            chart=_chart(batch, rules),
        )
    )
    about = f"What a head-end told of its batch, by the preset {first.preset or 'of then'}."
    return framed("VEE batch", about, f"operating day {batch.operatingDay}", body)


def _found(run: BatchRun, rule: str) -> int:
    return next((one.findings for one in run.findings if one.rule == rule), 0)


def _run(run: BatchRun) -> dict[str, Any]:
    rate = "" if run.metersPerS is None else f"{run.metersPerS:,.1f}"
    return {
        "Began": f"{run.beganAt:%m-%d %H:%M}",
        "State": run.state.value,
        "Files posted": f"{run.partitionsPosted} of {run.partitions}",
        "Meters": f"{run.meters:,}",
        "Actual, %": f"{run.actualPercent:.3f}",
        "Estimated, %": f"{run.estimatedPercent:.3f}",
        "Areas stopped (silent meters)": ", ".join(
            f"{one.accessPoint} ({one.silentMeters:,})" for one in run.stoppedAreas
        ),
        "ESI IDs corrected": "" if run.esiidsRevised is None else f"{run.esiidsRevised:,}",
        "Took, s": f"{run.durationS:,}",
        "Meters/s": rate,
        "Posted": "" if run.postedAt is None else f"{run.postedAt:%m-%d %H:%M}",
    }


def _rule(rule: str, runs: Sequence[BatchRun]) -> dict[str, Any]:
    known = RULES.get(rule)
    told = {"severity": known.severity.value, "source": known.source} if known else {"severity": "", "source": ""}
    return {"rule": rule, **told, "found": [_found(run, rule) for run in runs]}


def _chart(batch: BatchReport, rules: Sequence[str]) -> tuple[Rows, Table]:
    """Findings by rule, of the first run and of the later ones; and the same in words."""
    runs = {"first run": batch.runs[:1], "later runs": batch.runs[1:]}
    found = [
        Marks(kind, word, [sum(_found(run, rule) for run in of) for rule in rules])
        for kind, (word, of) in zip((ACTUAL, ESTIMATED), runs.items(), strict=True)
        if of
    ]
    chart = Rows("Findings by rule", rules, lambda value: f"{value:,.0f}", found)
    cells = zip(*(one.values for one in found), strict=True)
    rows = [[rule, *(f"{one:,}" for one in its)] for rule, its in zip(rules, cells, strict=True)]
    return chart, Table(["Rule", *(one.word for one in found)], rows)
