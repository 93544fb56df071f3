"""A scorecard for people: every target beside the figure that was reached, then the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

#: Least F1 of each kind of these classes, least share located of corrupt ones.
F1, F1_CLASSES, LOCATED = 0.97, ("corrupt", "register", "identity", "time"), 0.95
#: Most false alarms of a rule in 10,000 innocent meter-days, per cent of energy wrong as A, share of true peaks marked E.
FALSE, WRONG_A, PEAKS = 5.0, 0.01, 0.01

NO_RULES = "No rules delivered: seen and F1 are not judged, located by E alone."


class Target(NamedTuple):
    """A target and what was reached; None: nothing was asked."""

    name: str
    target: str
    reached: float | None
    kept: bool | None


def targets(figures: Mapping[str, Any]) -> list[Target]:
    """Every target."""
    made: list[Target] = []
    for kind, row in figures["kinds"].items():
        if row["class"] in F1_CLASSES:
            made.append(_least(f"F1 {kind}", F1, row["f1"]))
        if row["class"] == "corrupt":
            made.append(_least(f"located {kind}", LOCATED, row["located"]))
    for rule, row in figures["rules"].items():
        made.append(_most(f"false alarms {rule}", FALSE, row["false_alarms_per_10000"]))
    cells = figures["intervals"]
    wrong = cells["wrong_as_a_percent"]
    seen = None if wrong is None else wrong - cells["wrong_as_a_invisible_percent"]
    made.append(_most("energy wrong as A, %, but for invisible kinds", WRONG_A, seen))
    made.append(_most("true peaks marked E", PEAKS, figures["look_alikes"].get("peak", {}).get("marked_e")))
    # Where there was nothing to find, a target can be missed and not reached.
    return made if figures["measured"] else [one._replace(kept=None) if one.kept else one for one in made]


def _least(name: str, bound: float, reached: float | None) -> Target:
    return Target(name, f">= {bound:g}", reached, None if reached is None else reached >= bound)


def _most(name: str, bound: float, reached: float | None) -> Target:
    return Target(name, f"<= {bound:g}", reached, None if reached is None else reached <= bound)


def lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """The scorecard."""
    yield f"{figures['meter_days']:,} meter-days, {figures['innocent_meter_days']:,} of them innocent"
    yield from _targets(targets(figures), verdict(figures))
    if not figures["rules_delivered"]:
        yield NO_RULES
    yield "\nkind               class        fault-days   seen  located  precision     F1   below tolerance"
    for kind, row in figures["kinds"].items():
        if "true_intervals_marked_e" in row:
            marked = number(row["true_intervals_marked_e"])
            yield f"{kind:<19}{row['class']:<13}{row['fault_days']:>10}  true intervals marked E: {marked}"
            continue
        below = f"{row['below_tolerance']} days, {row['below_tolerance_wh']:,} Wh" if row["below_tolerance"] else ""
        shares = (
            f"{number(row['seen']):>6}{number(row['located']):>9}{number(row['precision']):>11}{number(row['f1']):>7}"
        )
        yield f"{kind:<19}{row['class']:<13}{row['fault_days']:>10} {shares}   {below}".rstrip()
    yield "invisible: a swap of two meters, by high and low use alone, and a wrong multiplier that the header does not tell"
    yield "\nrule                       days  precision  false alarms  of look-alikes  per 10,000"
    for rule, row in figures["rules"].items():
        counts = f"{row['false_alarms']:>14}{row['false_alarms_on_look_alikes']:>16}"
        per = number(row["false_alarms_per_10000"], 2)
        yield f"{rule:<22}{row['days']:>9}{number(row['precision']):>11}{counts}{per:>12}"
    for kind, row in figures["look_alikes"].items():
        yield f"look-alike {kind}: {row['days']} innocent meter-days, marked E {number(row['marked_e'])}"
    cells = figures["intervals"]
    yield f"\nE of {cells['wrong']:,} wrong intervals: recall {number(cells['e_recall'])}, precision {number(cells['e_precision'])}; not delivered {cells['not_delivered']:,}"
    yield f"energy wrong as A {number(cells['wrong_as_a_percent'], 4)} %, of it on days of an invisible kind {number(cells['wrong_as_a_invisible_percent'], 4)} %, where no rule was told {number(cells['wrong_as_a_unsaid_percent'], 4)} %; as E {number(cells['wrong_as_e_percent'], 4)} %, not delivered {number(cells['undelivered_percent'], 4)} %"
    most = [f"{kind} {wh:,} Wh" for kind, wh in list(figures["wrong_as_a_wh"].items())[:8] if wh]
    yield f"wrong as A on days of: {', '.join(most) or 'none'} (a day of two kinds counts for both)"
    yield "\nmethod        gap        registers  intervals   error %: engine  yesterday  profile   bias %   MAE Wh"
    for row in figures["estimates"]:
        errors = [number(row[name]["error_percent"], 1) for name in ("engine", "yesterday", "profile")]
        known = "known" if row["registers"] else "not known"
        engine = row["engine"]
        yield (
            f"{row['method']:<14}{row['gap']:<11}{known:<10}{row['intervals']:>10}{errors[0]:>18}{errors[1]:>11}{errors[2]:>9}"
            f"{number(engine['bias_percent'], 1):>9}{number(engine['mae_wh'], 0):>9}"
        )


def verdict(figures: Mapping[str, Any]) -> str:
    """How many targets were reached, in a line."""
    if not figures["measured"]:
        return "nothing is measured: no fault in these days"
    asked = [row.kept for row in targets(figures) if row.kept is not None]
    return f"{sum(asked)} of {len(asked)} reached"


def _targets(rows: list[Target], reached: str) -> Iterator[str]:
    yield f"targets: {reached}"
    for row in rows:
        if row.kept is not False:
            continue
        yield f"  not reached: {row.name} {number(row.reached, 4)}, target {row.target}"


def number(value: float | None, digits: int = 3) -> str:
    """A figure as people read it; a dash where nothing was asked."""
    return "-" if value is None else f"{value:,.{digits}f}"
