"""The index page over many runs: each with its verdict, what failed and the way to its page; the worst first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.scenario.summary import tallied
from scenarios.many import COULD_NOT_RUN, Played
from scenarios.rules.registry import REGISTRY
from scenarios.rules.requirements import REQUIREMENTS
from simulator.verdicts import Mark
from simulator.web.frame import framed, templates

#: The worst first; what could not run before all.
_ORDER = [COULD_NOT_RUN, *Mark]


def index_page(played: Sequence[Played], of: int, folder: Path) -> str:
    """The page. of: how many were to be played. folder: where it will lie, to which its links are relative."""
    rows = sorted(played, key=lambda one: (_ORDER.index(one.verdict), one.name))
    body = (
        templates(Path(__file__).parent)
        .get_template("index.html.j2")
        .render(
            headline=tallied(played, of),
            mark=rows[0].verdict if rows else "",
            rows=[(one, _href(one, folder)) for one in rows],
            verdicts=[(word, word.replace(" ", "-")) for word in _ORDER if any(one.verdict == word for one in rows)],
            shown=_shown(rows),
        )
    )
    days = sorted(one.day for one in rows)
    dated = f"operating days {days[0]} to {days[-1]}" if days else "none played"
    return framed("Scenarios", "Each run's page is one click away; the worst come first.", dated, body)


def _href(one: Played, folder: Path) -> str | None:
    """From the index to the page of a run; None where it has none."""
    return Path(os.path.relpath(one.out / "report.html", folder)).as_posix() if one.result else None


def _shown(rows: Sequence[Played]) -> list[dict[str, Any]]:
    """Each requirement of the use case or that a run bears on, and the runs by what they say of it."""
    found = []
    for ident, requirement in REGISTRY.items():
        by_mark: dict[str, list[str]] = {}
        for one in rows:
            mark = one.result["requirements"].get(ident, Mark.NOT_EXERCISED) if one.result else Mark.NOT_EXERCISED
            if mark != Mark.NOT_EXERCISED:
                by_mark.setdefault(mark, []).append(one.name)
        if by_mark or ident in REQUIREMENTS:
            found.append({"id": ident, "text": requirement.text, "by_mark": by_mark})
    return found
