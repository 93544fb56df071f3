"""The scorecard as a page of its own: the targets first, then what was found, what was wrong, and what is listed apart. Reads the figures and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports.score.chart import charts
from reports.score.text import NO_RULES, number, targets
from simulator.web.frame import framed, templates


def page(figures: Mapping[str, Any], about: str, dated: str) -> str:
    """HTML that needs no other file. about: what was scored, in a line. dated: its days."""
    template = templates(Path(__file__).parent).get_template("page.html.j2")
    asked = [target for target in targets(figures) if target.kept is not None]
    body = template.render(figures, targets=asked, charts=charts(figures), number=number, no_rules=NO_RULES)
    return framed("What the VEE engine is worth", about, dated, body)
