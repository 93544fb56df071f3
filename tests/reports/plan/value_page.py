"""The parts of ``docs/value.md`` that are made from the shipped table. Written by ``python -m tests.reports.plan.value_page``, held equal by a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from reports.plan.value import COLUMNS, SHOWN, by_way
from simulator.capacity.value import TO_DATE, WAYS, ValueTable, read_value

PAGE = Path(__file__).parents[3] / "docs" / "value.md"
_PART = re.compile(r"(<!-- made: (?P<name>\S+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
#: A plan without an edge while the cycle runs, and one whose bill jumps.
_TWO = ("bluebonnet-saver-12", "caprock-credit-1000")


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(heads), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _usd(value: float) -> str:
    return f"${value:.2f}"


def _span(values: Iterable[float], form: Callable[[float], str] = _usd) -> str:
    of = sorted(values)
    low, high = form(of[0]), form(of[-1])
    return low if low == high else f"{low} to {high}"


def by_plan(table: ValueTable, figure: str, form: Callable[[float], str]) -> str:
    """A row a plan, a column a way."""
    return _table(["plan", *COLUMNS], ([plan, *map(form, of)] for plan, of in by_way(table, figure).items()))


def by_unknown(table: ValueTable) -> str:
    """A row for so many hours that are not known, of two plans."""
    gaps = list(dict.fromkeys(WAYS.values()))
    return _table(
        ["hours not known", *(f"`{plan}`, {gap}" for plan in _TWO for gap in gaps)],
        (
            [
                f"{unknown / 4:g}",
                *(
                    " / ".join(
                        form.format(table.mean(figure, plan=plan, gap=gap, unknown=unknown, bill=TO_DATE))
                        for figure, form in (("mean_usd", "${:.2f}"), ("unsatisfied", "{:.1%}"))
                    )
                    for plan in _TWO
                    for gap in gaps
                ),
            ]
            for unknown in SHOWN
        ),
    )


def by_season(table: ValueTable) -> str:
    """A row a season and kind of day: a call at 17:30 on VEE data of the last midnight."""
    rows = []
    for season in table.names("season"):
        for kind in ("weekday", "weekend"):
            cells = []
            for plan in _TWO:
                at = table.plans.index(plan)
                for figure in ("mean_usd", "p90_usd", "p99_usd"):
                    packed = table.packed(season, kind, "VEE + usual day", figure)
                    cells.append(_usd(float(packed[17, 70, at])))
            rows.append([season, kind, *cells])
    return _table(["season", "day", *(f"`{plan}` {what}" for plan in _TWO for what in ("mean", "P90", "P99"))], rows)


def follows(table: ValueTable) -> str:
    """What the figures mean for the use case."""
    usd, off = (
        dict(zip(COLUMNS, zip(*by_way(table, figure).values(), strict=True), strict=True))
        for figure in ("mean_usd", "unsatisfied")
    )

    def percent(value: float) -> str:
        return f"{100 * value:.1f} %"

    more = [b - a for a, b in zip(usd["closing, all read"], usd["closing, VEE"], strict=True)]
    return "".join(
        f"* {line}\n"
        for line in (
            f"**A gap that is left out costs dollars**: {_span(usd['VEE'])} in the mean of a plan, and {_span(off['VEE'], percent)} of the callers are told a bill that AMB-12 counts as wrong.",
            f"**Filled with the usual day it costs cents**: {_span(usd['VEE + usual day'])}, {_span(off['VEE + usual day'], percent)} of the callers; by like days, where the weather is known, {_span(usd['VEE + like days'])} and {_span(off['VEE + like days'], percent)}. No read is needed for it.",
            f"**What the store has brings it to** {_span(usd['store + usual day'])}, if the rest is expected ({_span(off['store + usual day'], percent)}), and {_span(usd['store'])} if it is left out.",
            f"**A meter read behind the store is worth those {_span(usd['store + usual day'])}**, and no more: all that is left then is known. A throttle that answers from the store costs a caller as much.",
            f"**The closing bill stays uncertain by {_span(usd['closing, all read'])} whatever is read**: the days to come decide it. Without any read it is {_span(more)} more.",
        )
    )


def page(text: str) -> str:
    """The page with every part made anew."""
    table = read_value()
    parts: dict[str, Callable[[], str]] = {
        "follows": lambda: follows(table),
        "ways": lambda: by_plan(table, "mean_usd", _usd),
        "unsatisfied": lambda: by_plan(table, "unsatisfied", "{:.1%}".format),
        "unknown": lambda: by_unknown(table),
        "season": lambda: by_season(table),
    }
    return filled(text, parts)


def filled(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """A text with its parts between ``<!-- made: NAME -->`` and ``<!-- end -->`` made anew."""
    return _PART.sub(lambda found: found[1] + parts[found["name"]](), text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
