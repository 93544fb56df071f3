"""The page of a day's batch: how far it is, how much was collected and estimated, what the rules found and of whom, what was corrected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headend.service.batch_wire import BatchReport, BatchRun
from headend.store.partitions import State
from headend.vee.rules import RULES
from reports.chart_parts import NARROW, WIDE, Width, bare, inline, legend, svg
from simulator.web.frame import framed, templates
from simulator.web.palette import light

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Of the runs that the chart tells apart.
_COLOURS = light("served-read"), light("served-store")


def page_of(batch: BatchReport) -> str:
    """The whole page."""
    first, *later = batch.runs
    rules = sorted(
        {one.rule for run in batch.runs for one in run.findings}, key=lambda rule: (-_found(first, rule), rule)
    )
    drawn = {width.name: inline(_chart(batch, rules, width)) for width in (WIDE, NARROW)} if rules else {}
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
            chart=drawn,
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


def _chart(batch: BatchReport, rules: Sequence[str], width: Width) -> str:
    """Findings by rule, the first run's and what later runs found of the meters that came late."""

    def draw() -> Figure:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        figure = Figure(figsize=(width.inches, 0.34 * len(rules) + 1.0), layout="constrained")
        axes = figure.subplots()
        sides = [("first run", [_found(batch.runs[0], rule) for rule in rules])]
        if len(batch.runs) > 1:
            sides.append(("later runs", [sum(_found(run, rule) for run in batch.runs[1:]) for rule in rules]))
        thick = 0.8 / len(sides)
        for at, ((label, counts), colour) in enumerate(zip(sides, _COLOURS, strict=False)):
            places = [place + at * thick for place in range(len(rules))]
            bars = axes.barh(places, counts, height=thick, color=colour, label=label)
            axes.bar_label(bars, labels=[f"{count:,}" if count else "" for count in counts], padding=3, fontsize=9)
        bare(axes)
        axes.grid(axis="y", visible=False)
        axes.set_yticks([place + (len(sides) - 1) * thick / 2 for place in range(len(rules))], rules)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel("findings")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        legend(figure, width)
        return figure

    return svg(f"batch-{width.name}", draw)
