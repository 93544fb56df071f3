"""The report of a load study: the answer first, then what each policy does to callers and to the air, what would turn it, and what theory says of it.

Reads an ``Outcome`` and nothing else; writes a page that stands alone, its pictures and its cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reports.capacity import charts, headline, pictures, shown, words
from reports.capacity.clauses import held
from reports.capacity.compare import TOLD, USD, Judged, refusals, regret, write_csv
from reports.capacity.workload_chart import SHOWN
from reports.chart_parts import png
from simulator.capacity.levels import SHARES, judge, level_of
from simulator.capacity.outcome import Knee, Outcome
from simulator.capacity.paired import Regret, difference, differs
from simulator.capacity.theory import Beside, beside
from simulator.capacity.told import GROUPS
from simulator.capacity.workload.columns import CLASSES
from simulator.verdicts import Mark
from simulator.web.frame import framed, templates

CLASS_NAMES = [SHOWN[one][0] for one in CLASSES]
CELLS_CSV = "cells.csv"
#: A closed form that is farther off than this has a condition that is not met [D].
_FAR = 0.1

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Shown(NamedTuple):
    """A figure as text, what stands below it, and how it is meant."""

    text: str
    note: str = ""
    kind: str = ""


class Row(NamedTuple):
    """A line of a table."""

    head: str
    cells: Sequence[Shown]


def render(outcome: Outcome | Path, out_dir: Path) -> Path:
    """Write ``report.html``, its pictures (PNG) and ``cells.csv`` into a folder; the path of the page. outcome: or the folder that keeps one."""
    if isinstance(outcome, Path):
        outcome = Outcome.load(outcome)
    out_dir.mkdir(parents=True, exist_ok=True)
    for name, draw in _pictures(outcome).items():
        picture = png(draw)
        if picture:
            (out_dir / f"{name}.png").write_bytes(picture)
    drawn = shown.charts(outcome, chosen(outcome), moved_most(outcome))
    write_csv(outcome, out_dir / CELLS_CSV)
    body = templates(Path(__file__).parent).get_template("page.html.j2").render(_content(outcome), charts=drawn)
    first = outcome.workloads[0]
    about = (
        f"Load study {outcome.study['name']}: {len(outcome.workloads)} workloads, {len(outcome.policies)} policies, "
        f"{outcome.replications} replications, {first.meters:,} meters."
    )
    path = out_dir / "report.html"
    path.write_text(
        framed(str(outcome.study["question"]), about, f"operating day {first.first_day}", body), encoding="utf-8"
    )
    return path


def chosen(outcome: Outcome) -> list[str]:
    """Whose resources and assumptions are shown: of the first policy, and of that with the least regret in dollars."""
    found = regret(outcome, USD)
    best = [] if found is None else [outcome.policy_names[found.leaders[0]]]
    return list(dict.fromkeys([outcome.policy_names[0], *best]))


def moved_most(outcome: Outcome) -> str:
    """Under which policy it is shown what assumptions move: the last of ``chosen`` under which some were moved."""
    of = chosen(outcome)
    return next((one for one in reversed(of) if charts.swung(outcome, TOLD, one)), of[0])


def _pictures(outcome: Outcome) -> dict[str, Callable[[], Figure | None]]:
    """By the name of its file."""
    return {
        "pareto": lambda: pictures.pareto(outcome),
        "use": lambda: pictures.heat(outcome, chosen(outcome)),
        "refused": lambda: pictures.refusals(outcome),
        "tornado": lambda: pictures.tornado(outcome, moved_most(outcome)),
        "knees": lambda: pictures.knees(outcome),
    }


def _content(outcome: Outcome) -> dict[str, Any]:
    moved, next_best = moved_most(outcome), without_the_best(outcome)
    turned = [words.what_turns_the_answer(outcome, one) for one in (TOLD, USD)]
    return {
        "answer": headline.answer(outcome),
        "beside": [*headline.of_whom(outcome), *headline.beside(outcome)],
        "without_the_best": next_best[0] if next_best else [],
        "levels": list(levels(outcome)),
        "policies": outcome.policies,
        "workloads": outcome.workloads,
        "first": outcome.policy_names[0],
        "answers": list(answers(outcome)),
        "chosen": chosen(outcome),
        "moved": moved,
        "front": [
            (
                f"{'what is told' if judged is TOLD else 'dollars'} for what is {where}",
                [outcome.policy_names[one.number - 1] for one in charts.places(outcome, judged, way) if one.on_front],
            )
            for judged in (TOLD, USD)
            for way, where in charts.WAYS.items()
        ],
        "classes": CLASS_NAMES,
        "refused": list(refused(outcome)),
        "limits": [
            (outcome.policy_names[at], code, f"{100 * shares.max():.1f}", outcome.workload_names[int(shares.argmax())])
            for at, code, shares in refusals(outcome)
            if shares.max() >= 0.001
        ],
        "clauses": [(one, words.effects(one), words.what_turns(one)) for one in held(outcome)],
        "turned": [
            *(f"The answer {one}" for one in turned),
            *(f"The answer without it {one}" for one in (next_best[1] if next_best else [])),
        ],
        "marks": words.MARKS,
        "assumptions": list(assumptions(outcome, moved)),
        "knees": knees(outcome),
        "theory": [theory_row(beside(one)) for one in outcome.observed if one.policy in chosen(outcome)],
        "fingerprint": outcome.fingerprint,
        "cells": CELLS_CSV,
    }


def without_the_best(outcome: Outcome) -> tuple[list[str], list[str]] | None:
    """What the one policy that is best in all that is judged takes on the wires, and the answer where it cannot be had; what turns that one.

    None where no policy is, or one other is left.
    """
    found = [regret(outcome, one) for one in (TOLD, USD)]
    leaders = {at for one in found if one is not None for at in one.leaders}
    if len(leaders) != 1 or len(outcome.policies) < 3:
        return None
    best = leaders.pop()
    rest = replace(outcome, policies=[one for at, one in enumerate(outcome.policies) if at != best])
    takes = []
    for way, where in charts.WAYS.items():
        megabytes = charts.megabytes(outcome, way)
        takes.append(f"{megabytes.pop(best):,.0f} MB {where} (others up to {max(megabytes):,.0f})")
    sentence = headline.answer(rest)
    told = f"{outcome.policy_names[best]} takes {' and '.join(takes)} a day. Where it cannot be had: {sentence[0].lower()}{sentence[1:]}"
    return [told, *headline.beside(rest)], [words.what_turns_the_answer(rest, one) for one in (TOLD, USD)]


def levels(outcome: Outcome) -> Iterator[tuple[str, list[tuple[Mark, list[str]]]]]:
    """Each service level, and on which workloads it comes to what."""
    by: dict[str, dict[Mark, list[str]]] = {}
    for one in judge(outcome).levels:
        by.setdefault(one.level.text, {}).setdefault(one.mark, []).append(one.workload)
    for text, marks in by.items():
        yield text, list(marks.items())


def answers(outcome: Outcome) -> Iterator[Row]:
    """A line a policy: regret in points and in dollars, then what is told in the call (dollars below), at worst and on each workload; MB on air."""
    told, usd = (outcome.values(one.measure, one.group) for one in (TOLD, USD))
    regrets = [regret(outcome, one) for one in (TOLD, USD)]
    moved = zip(*(charts.megabytes(outcome, way) for way in charts.WAYS), strict=True)
    for at, (name, megabytes) in enumerate(zip(outcome.policy_names, moved, strict=True)):
        cells = [_regretted(judged, found, at) for judged, found in zip((TOLD, USD), regrets, strict=True)]
        both = [(one.mean(axis=2)[:, at]) for one in (told, usd)]
        cells.append(_told(float(both[0].min()), float(both[1].max())))
        for one, dollars, *means in zip(told, usd, *(of.tolist() for of in both), strict=True):
            other = not at or differs(difference(one[at], one[0])) or differs(difference(dollars[at], dollars[0]))
            cells.append(_told(*means)._replace(kind="" if other else "="))
        yield Row(name, [*cells, *(Shown(f"{one:,.{0 if one >= 100 else 1}f}") for one in megabytes)])


def _told(share: float, usd: float) -> Shown:
    return Shown(_written(TOLD, share), f"${_written(USD, usd)}")


def _regretted(judged: Judged, found: Regret | None, at: int) -> Shown:
    if found is None:
        return Shown("-")
    mean, half = found.estimates[at]
    sign = "$" if judged is USD else ""
    plus_minus = "" if half is None else f"± {judged.write(half)}"
    return Shown(sign + judged.write(mean or 0.0), plus_minus, "yes" if at in found.leaders else "")


def _written(judged: Judged, value: float) -> str:
    return "-" if np.isnan(value) else judged.write(float(value))


def jain(outcome: Outcome, workload: str, policy: str) -> float | None:
    """How evenly retailers are told in the call: (sum x)^2 / (n sum x^2) of their shares, 1 if all alike; None where nothing is known.

    Source: Jain, Chiu, Hawe 1984.
    """
    frame = charts.of_cell(outcome.first.get("asked", {}), workload, policy)
    if not frame:
        return None
    _, ror = np.unique(frame["ror"], return_inverse=True)
    asked = np.bincount(ror, frame["requests"])
    shares = np.bincount(ror, frame["requests"] * frame["told"]) / np.maximum(asked, 1)
    return float(shares.sum() ** 2 / (len(shares) * (shares**2).sum())) if shares.any() else None


def refused(outcome: Outcome) -> Iterator[Row]:
    """A line a policy: the share of each class's requests that it refuses, mean of the workloads, and Jain's index on that where it is least."""
    for name in outcome.policy_names:
        cells = []
        for group in GROUPS[-len(CLASSES) :]:
            of = np.asarray([outcome.series(one, name, "refused", group).mean() for one in outcome.workload_names])
            found = of[~np.isnan(of)]
            cells.append(Shown(f"{100 * found.mean():.1f}" if len(found) else "-"))
        fair = [one for workload in outcome.workload_names if (one := jain(outcome, workload, name)) is not None]
        yield Row(name, [*cells, Shown(f"{min(fair):.3f}" if fair else "-")])


def assumptions(outcome: Outcome, policy: str) -> Iterator[dict[str, str]]:
    """Each assumption with mark, range and source, by how far it moves what is told and the dollars under a policy, and the best one's lead at its ends."""
    leads = {judged: headline.led(outcome, judged) for judged in (TOLD, USD)}
    by = {judged: {one.knob: one for one in charts.swung(outcome, judged, policy)} for judged in (TOLD, USD)}
    for one in outcome.tornado:
        yield {
            "title": one.title,
            "base": words.valued(one.base, one.unit),
            "range": words.ranged(one),
            "mark": words.marked(one),
            "source": one.source,
            "told": _moves(by[TOLD].get(one.knob)),
            "usd": _moves(by[USD].get(one.knob)),
            "lead_told": _leads(leads[TOLD], one.knob),
            "lead_usd": _leads(leads[USD], one.knob),
        }


def _moves(one: charts.Swung | None) -> str:
    """Points or cents at the low and at the high."""
    ends = (None, None) if one is None else (one.low, one.high)
    return " / ".join("-" if of is None or of.mean is None else words.signed(100 * of.mean) for of in ends)


def _leads(of: headline.Led | None, knob: str) -> str:
    """Points or cents by which the best policy leads at the low and at the high."""
    ends = {} if of is None else {at.end: lead for at, lead in of.ends if at.assumption.knob == knob}
    return " / ".join(f"{100 * ends[end]:.1f}" if end in ends else "-" for end in ("low", "high"))


def knees(outcome: Outcome) -> list[dict[str, str]]:
    """Where each level breaks, in text."""
    return [
        {
            "policy": one.policy,
            "workload": one.workload,
            "level": one.level,
            "knob": one.knob,
            "kept": "none" if one.kept is None else f"{one.kept:.3g}",
            "broken": "not up to here" if one.broken is None else f"{one.broken:.3g} ({_at(one, one.broken)})",
            "headroom": _headroom(one.headroom),
            "more": "-" if one.more is None else f"{abs(one.more):,.0f} {'more' if one.more >= 0 else 'fewer'}",
            "binds": one.binds or "none of those tried",
        }
        for one in outcome.knees
    ]


def _at(one: Knee, value: float) -> str:
    """What the level asks of at a value of the knob, with its interval: the mean alone decides what is kept."""
    mean, half = next(at.level for at in one.points if at.value == value)
    scale = 100 if level_of(one.level).measure in SHARES else 1
    return "nobody" if mean is None else f"{scale * mean:.3g}{'' if half is None else f' ± {scale * half:.2g}'}"


def _headroom(share: float | None) -> str:
    """How much more than in the study it may be; it may be broken there already."""
    if share is None:
        return "-"
    return f"{100 * share:,.0f} %" if share >= 0 else f"none, it breaks at {100 * (1 + share):.0f} % of the study's"


def theory_row(one: Beside) -> dict[str, str]:
    """A resource beside its closed form, in text."""
    seen = one.observed
    return {
        "where": f"{seen.workload}, {seen.policy}",
        "resource": seen.resource + (f" ({seen.servers:,})" if seen.servers > 1 else ""),
        "rate": f"{one.rate:.4g}",
        "served": "-" if np.isinf(one.served_rate) else f"{one.served_rate:.4g}",
        "rho": f"{100 * one.rho:.1f} %" if seen.servers else "-",
        "time": f"{seen.time_s:.4g}",
        "time_by": "-" if one.time_s is None else f"{one.time_s:.4g}",
        "there": f"{seen.there:.4g}",
        "little": f"{one.little:.4g}",
        "there_by": "-" if one.there is None else f"{one.there:.4g}",
        "form": _form(one),
    }


def _form(one: Beside) -> str:
    """The closed form and its conditions; where it is far off, one of these is not met."""
    if one.time_s is None:
        return f"no closed form: {one.why}"
    off = one.time_s / one.observed.time_s - 1 if one.observed.time_s else 0.0
    far = f"; not met here, it is {words.signed(100 * off, 0)} % off" if abs(off) > _FAR else ""
    return f"{one.form}: {one.why}{far}"
