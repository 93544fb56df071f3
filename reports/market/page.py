"""The page of a market's day: what it came to first, then each company, what rules found, and where the files are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headend.market.published import publish
from headend.vee.rules import RULES
from reports.market.chart import day_chart, findings_chart
from reports.market.summary import ALL, COLUMNS, rows
from simulator.web.frame import framed, templates

#: Its file.
PAGE = "report.html"


def render(found: Mapping[str, Any], out: Path) -> Path:
    """Write ``report.html`` into a folder; its path. found: as ``summary.summary`` gives it."""
    whole = found[ALL]
    body = (
        templates(Path(__file__).parent)
        .get_template("page.html.j2")
        .render(
            found=found,
            whole=whole,
            day=day_chart(found),
            findings=findings_chart(found),
            heads=[head for head, _, _ in COLUMNS],
            rows=rows(found),
            tdsps=list(found["tdsps"].values()),
            rules=[
                (rule, RULES[rule].severity.value, [one["findings"].get(rule, 0) for one in found["tdsps"].values()])
                for rule in whole["findings"]
            ],
        )
    )
    about = f"{whole['meters']:,} meters of {len(found['tdsps'])} companies, seed {found['seed']}: truth, faults of meters, VEE, published."
    path = out / PAGE
    page = framed("A market's day", about, f"operating day {found['day']}", body)
    publish(path, lambda file: file.write(page.encode()))
    return path
