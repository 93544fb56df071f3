"""The registry of requirements and what shows each: as lines of text, and as a page."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from scenarios.cli import WIDTH
from scenarios.coverage import Covered
from simulator.web.frame import framed, templates


def coverage_page(found: Sequence[Covered]) -> str:
    """The page: what is missing first."""
    rows = sorted(found, key=lambda one: not one.missing)
    body = templates(Path(__file__).parent).get_template("coverage.html.j2").render(headline=tallied(found), rows=rows)
    names = {name for one in found for name in one.shown_by}
    return framed("Requirements", "What shows each, and what fails by it.", f"read off {len(names)} scenarios", body)


def coverage_text(one: Covered) -> str:
    """A requirement and what shows it, folded."""
    told = [f"shown by {', '.join(one.shown_by)}"] if one.shown_by else []
    told += [f"made to fail by {', '.join(one.fails_by)}"] if one.fails_by else []
    if not one.shown_by:
        told += [f"tests: {', '.join(one.row.tests)}"] if one.row.tests else []
        told += [f"no scenario: {one.row.why_not}"] if one.row.why_not else []
    told = told or ["NOTHING shows it"]
    head = f"{one.row.id:<22} "
    return textwrap.fill(
        "; ".join(told),
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * 23,
        break_long_words=False,
        break_on_hyphens=False,
    )


def tallied(found: Sequence[Covered]) -> str:
    """How many there are, and by what they are shown."""
    by_scenario = sum(bool(one.shown_by) for one in found)
    by_tests = sum(bool(one.row.tests) and not one.shown_by for one in found)
    missing, bent = sum(one.missing for one in found), sum(bool(one.fails_by) for one in found)
    rest = len(found) - by_scenario - by_tests - missing
    told = f"{len(found)} requirements: {by_scenario} shown by scenarios, {by_tests} by tests alone, {rest} by neither and why"
    return f"{told}, {missing} by nothing{f'; {bent} made to fail' if bent else ''}."
