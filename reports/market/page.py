"""The page of a market's day: what it came to first, then each company, what rules found, and where the files are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headend.market.published import publish
from headend.vee.rules import RULES
from reports.chart_parts import NARROW, WIDE, inline
from reports.market.chart import day_svg, findings_svg
from reports.market.summary import ALL, COLUMNS, rows
from simulator.web.frame import framed, templates

#: Its file.
PAGE = "report.html"


def render(found: Mapping[str, Any], out: Path) -> Path:
    """Write ``report.html`` into a folder; its path. found: as ``summary.summary`` gives it."""
    charts = {
        name: {width.name: inline(drawn) for width in (WIDE, NARROW) if (drawn := draw(found, width))}
        for name, draw in (("day", day_svg), ("findings", findings_svg))
    }
    whole = found[ALL]
    body = (
        templates(Path(__file__).parent)
        .get_template("page.html.j2")
        .render(
            found=found,
            whole=whole,
            charts=charts,
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
