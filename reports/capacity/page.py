"""The load report: the answer first, then tables."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from reports.capacity.compare import answer
from reports.capacity.compare import lines as compared
from reports.capacity.study import lines
from simulator.capacity.levels import judge
from simulator.capacity.outcome import Outcome
from simulator.web.frame import framed


def render(outcome: Outcome, folder: Path) -> Path:
    """Write ``report.html`` into a folder; the path of it."""
    text = "\n".join([*compared(outcome), *lines(outcome, judge(outcome))])
    body = Markup("<h2>Tables</h2>\n<pre>{}</pre>\n").format(text)
    about = f"Load study {outcome.study['name']}: {answer(outcome)}"
    path = folder / "report.html"
    day = outcome.workloads[0].first_day
    path.write_text(framed(outcome.study["question"], about, f"operating day {day}", body), encoding="utf-8")
    return path
