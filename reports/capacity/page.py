"""The load report: question and verdict first, then who was served, refused and failed under each policy, and what it all rests on.

Reads an ``Outcome`` and nothing else; writes a self-contained page and its chart.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from headend.network import law
from meters.calendar import to_s
from reports.capacity.chart import chart_svg
from reports.chart_parts import NARROW, WIDE, inline
from simulator.capacity.judged import held, judge
from simulator.capacity.outcome import Estimate, Outcome, Row
from simulator.smt.ondemand.middle import MiddleLaw
from simulator.verdicts import Mark
from simulator.versions import PRODUCT, version_of
from simulator.web.frame import framed, templates

#: Served data no older than this are called fresh: the running quarter hour.
FRESH_MIN = 15.0


class Shown(NamedTuple):
    """A figure as text, and its confidence half-width."""

    text: str
    ci: str = ""
    mark: str = ""


def render(outcome: Outcome | Path, out_dir: Path) -> Path:
    """Write ``report.html`` and ``chart.svg`` into a folder; the path of the page. outcome: or the folder that keeps one."""
    if isinstance(outcome, Path):
        outcome = Outcome.load(outcome)
    rows, study = outcome.rows(), outcome.study
    drawn = {width.name: chart_svg(outcome, rows, width) for width in (WIDE, NARROW)}
    chart = {width: inline(document) for width, document in drawn.items()}
    body = templates(Path(__file__).parent).get_template("page.html.j2").render(_content(outcome, rows), chart=chart)
    hour, tdsp = study["hour"], study["tdsp"]
    about = (
        f"Load study {study['name']}: {hour['day']}, {hour['begins'][:5]}-{hour['ends'][:5]} Central Prevailing Time, "
        f"{tdsp['name']} with {tdsp['meters']:,} meters, {study['replications']} replications."
    )
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "chart.svg").write_text(drawn[WIDE.name], encoding="utf-8")
    path = out_dir / "report.html"
    path.write_text(framed(study["question"], about, f"operating day {hour['day']}", body), encoding="utf-8")
    return path


#: What is told of a policy at a level, and which field of its row tells it.
MEASURES = (
    ("Served", "served"),
    ("of them from the store alone", "served_from_store"),
    ("Refused", "refused"),
    ("of them given what the store holds", "refused_with_store"),
    ("Failed", "failed"),
    ("T-Failed", "t_failed"),
    ("Expired", "expired"),
    ("Latency p50, s", "p50_s"),
    ("Latency p95, s", "p95_s"),
    ("Answered before hang-up, %", "answered_before_hang_up"),
    ("Meter reads", "meter_reads"),
    ("Age of data served p50, min", "age_p50_min"),
    ("Age of data served p95, min", "age_p95_min"),
    ("Age of data of the refused p50, min", "refused_age_p50_min"),
)
TABLE_HEADS = ("served", "refused", "failed", "p50 s", "p95 s", "in time", "reads", "age")


class TableRow(NamedTuple):
    """A policy at a level on a terminal: figures under ``TABLE_HEADS``, and what is to be said of its refusals."""

    policy: str
    cells: list[str]
    refusals: str


def tables(outcome: Outcome) -> list[tuple[str, list[TableRow]]]:
    """Per level a title and rows, for a terminal: a mean with ± half of its 95 % interval below.

    Failed includes T-FAILED and expired; in time: % answered before hang-up; reads: tries at the meter; age: of the data served, median minutes.
    """
    rows = outcome.rows()
    return [
        (
            f"{level['name']}: {level['calls']:,} planned in the hour",
            [_table_row(row) for row in rows if row.level == level["name"]],
        )
        for level in outcome.study["levels"]
    ]


def _table_row(row: Row) -> TableRow:
    failed = sum(one.mean or 0 for one in (row.failed, row.t_failed, row.expired))
    cells = [
        _text(row.served, "\n"),
        _text(row.refused, "\n"),
        _figure(failed),
        _text(row.p50_s, "\n"),
        _text(row.p95_s, "\n"),
        _text(row.answered_before_hang_up, "\n"),
        _text(row.meter_reads, "\n"),
        _text(row.age_p50_min, "\n"),
    ]
    return TableRow(row.policy, cells, _refusals(row))


def _refusals(row: Row) -> str:
    """By which rules requests were refused, and how many of them were given what the store holds; nothing if none was refused."""
    if not row.refused.mean:
        return ""
    rules = ", ".join(f"{_figure(count.mean or 0)} by {code}" for code, count in row.refused_by.items())
    given = row.refused_with_store.mean or 0
    if not given:
        return f"refused: {rules}; none of them given data"
    whom = "all" if given == row.refused.mean else _figure(given)
    age = row.refused_age_p50_min.mean
    old = "" if age is None else f", {_figure(age)} min old"
    return f"refused: {rules}; {whom} of them given the store's data{old}"


def _shown(estimate: Estimate) -> Shown:
    if estimate.mean is None:
        return Shown("–")
    return Shown(_figure(estimate.mean), _figure(estimate.half) if estimate.half else "")


def _text(estimate: Estimate, between: str = " ") -> str:
    shown = _shown(estimate)
    return f"{shown.text}{between}±{shown.ci}" if shown.ci else shown.text


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == 0 else f"{value:,.1f}"


def _content(outcome: Outcome, rows: list[Row]) -> dict[str, Any]:
    study, judged = outcome.study, judge(outcome)
    levels = []
    verdict = []
    for at, level in enumerate(study["levels"]):
        of_level = [row for row in rows if row.level == level["name"]]
        verdict.append(
            {"level": level["name"], "calls": f"{level['calls']:,}", "said": _verdict(outcome, at, of_level)}
        )
        levels.append(
            {
                "name": level["name"],
                "calls": f"{level['calls']:,}",
                "calls_before": f"{outcome.calls_before[at]:,}",
                "policies": [row.policy for row in of_level],
                "rows": [
                    {"head": head, "cells": [_shown(getattr(row, field)) for row in of_level]}
                    for head, field in MEASURES
                ],
                "refusals": [
                    f"{row.policy}: {_text(count)} by {code}"
                    for row in of_level
                    for code, count in row.refused_by.items()
                ],
                **_service_levels(outcome, at, of_level, [one.mark for one in judged.levels[at]]),
            }
        )
    return {
        "mark": judged.mark.value,
        "over_all": " ".join(_over_all(outcome, rows)),
        "verdict": verdict,
        "levels": levels,
        "policies": outcome.policies,
        "basis": list(_basis(outcome, rows).items()),
    }


def _share(estimate: Estimate, row: Row) -> float:
    return 100 * (estimate.mean or 0) / row.planned


def _is_fresh(row: Row) -> bool:
    return row.age_p50_min.mean is not None and row.age_p50_min.mean <= FRESH_MIN


def _over_all(outcome: Outcome, rows: list[Row]) -> list[str]:
    """What holds at every level: the best with fresh data, the best of all, and whether the radio is what binds."""
    by_policy = {policy["name"]: [row for row in rows if row.policy == policy["name"]] for policy in outcome.policies}
    worst = {name: min(_share(row.served, row) for row in of) for name, of in by_policy.items()}
    fresh = {name: worst[name] for name, of in by_policy.items() if all(_is_fresh(row) for row in of)}
    said = []
    if fresh:
        name = max(fresh, key=lambda one: fresh[one])
        said.append(
            f"Of the policies that serve data to the last quarter hour at every level, {name} serves most: {fresh[name]:.1f} % at worst."
        )
    else:
        said.append("No policy serves data to the last quarter hour at every level.")
    most = max(worst, key=lambda one: worst[one])
    if most not in fresh and worst[most] > max(fresh.values(), default=0):
        said.append(f"{most} serves {worst[most]:.1f} % at worst, with older data.")
    said.append(
        f"The radio does not decide it: the most that any policy reads is {_figure(_most_reads(rows))} in the hour, "
        f"{_radio_load(outcome, rows):.2g} % of the access points together with home automation."
        if _radio_load(outcome, rows) < 10
        else f"The access points are loaded to {_radio_load(outcome, rows):.0f} % by the policy that reads most."
    )
    return said


def _most_reads(rows: list[Row]) -> float:
    return max(row.meter_reads.mean or 0 for row in rows)


def _radio_load(outcome: Outcome, rows: list[Row]) -> float:
    """Share of what all access points carry in the hour, %: the reads of the policy that reads most, and home automation's."""
    tdsp = outcome.study["tdsp"]
    points = -(-tdsp["meters"] // tdsp["meters_per_access_point"])
    home = tdsp["meters"] * outcome.study["day_so_far"]["home_automation_share"] * outcome.span_s / 3600
    load: float = 100 * (_most_reads(rows) + home) / (points * outcome.access_point_tps * outcome.span_s)
    return load


def _verdict(outcome: Outcome, level: int, rows: list[Row]) -> list[str]:
    said = []
    fresh = [row for row in rows if _is_fresh(row)]
    if fresh:
        best = max(fresh, key=lambda row: row.served.mean or 0)
        said.append(
            f"{best.policy} serves most with data to the last quarter hour: {_share(best.served, best):.1f} %, "
            f"for {_figure(best.meter_reads.mean or 0)} meter reads."
        )
    else:
        said.append("No policy serves anyone with data to the last quarter hour.")
    for row in rows:
        if row.served.mean and not row.meter_reads.mean:
            said.append(
                f"{row.policy} serves {_share(row.served, row):.1f} % and reads no meter; its data are "
                f"{_figure(row.age_p50_min.mean or 0)} minutes old (median; p95 {_figure(row.age_p95_min.mean or 0)}), "
                f"and {_share(row.served_nothing, row):.1f} % get no interval at all, their meter being silent all day."
            )
    for row in rows:
        if _share(row.refused, row) >= 1:
            said.append(
                f"{row.policy} refuses {_share(row.refused, row):.1f} % by {' and '.join(row.refused_by)}; {_given(row)}."
            )
    unhurried = outcome.unloaded_before_hang_up(level)
    said.append(
        f"With no load, nothing refused and every meter read, {_figure(unhurried.mean or 0)} % would have the answer before they hang up: "
        "the middle tier's time sets that bound, not the throttle."
    )
    return said


def _given(row: Row) -> str:
    given = row.refused_with_store.mean
    if not given:
        return "none of them is given data"
    whom = "all of them" if given == row.refused.mean else f"{100 * given / (row.refused.mean or given):.1f} % of them"
    return f"{whom} are given what the store holds, {_figure(row.refused_age_p50_min.mean or 0)} minutes old"


def _service_levels(outcome: Outcome, level: int, rows: list[Row], marks: Sequence[Mark]) -> dict[str, Any]:
    wanted = outcome.study["service_levels"]
    unloaded = outcome.unloaded_levels(level)
    heads = [_level_head(one) for one in wanted]
    met_by = [*(row.levels_met for row in rows), unloaded]
    slo_rows = [
        {"head": f"{head}: {mark}", "cells": [_judged(met[at], one["share"]) for met in met_by]}
        for at, (head, one, mark) in enumerate(zip(heads, wanted, marks, strict=True))
    ]
    notes = [
        f"{head}: no load at all meets this level ({_text(met)} %), so no policy can; it is a wish, not a level."
        for head, met, mark in zip(heads, unloaded, marks, strict=True)
        if mark is Mark.SKIPPED
    ]
    notes += [
        f"{row.policy} serves nobody at this load: the few requests it does not refuse are those lost in the middle tier."
        for row in rows
        if not row.served.mean
    ]
    return {"slo_rows": slo_rows, "slo_notes": notes}


def _level_head(level: Mapping[str, Any]) -> str:
    within_s = level["within_s"]
    return f"{100 * level['share']:g} % " + ("served at all" if within_s is None else f"within {within_s:g} s")


def _judged(met: Estimate, share: float) -> Shown:
    """A share, and whether it keeps the wanted one."""
    return _shown(met) if met.mean is None else _shown(met)._replace(mark=held(met, share).value)


def _basis(outcome: Outcome, rows: list[Row]) -> Mapping[str, str]:
    study = outcome.study
    so_far, states, sweeps, laws = study["day_so_far"], study["meter_states"], study["sweeps"], study["laws"]
    points = -(-study["tdsp"]["meters"] // study["tdsp"]["meters_per_access_point"])
    tps = outcome.access_point_tps
    load = _radio_load(outcome, rows)
    middle, network = MiddleLaw(**laws["middle"]), law.NetworkLaw(**laws["network"])
    *waits, last_wait = (f"{to_s(wait)}" for wait in law.RETRY_WAITS_US)
    return {
        "Calls": (
            "Fixed count at uniform instants of the hour (a Poisson stream given its count). The hour has "
            f"{100 * so_far['hour_share']:g} % of the day's calls, {100 * so_far['share_before']:g} % came before it [D]; "
            "a level scales the whole day unless the study says otherwise."
        ),
        "The day so far": (
            f"{100 * so_far['earlier_share']:g} % of the ESI IDs called earlier, from {so_far['begins'][:5]} on; home automation reads "
            f"{100 * so_far['home_automation_share']:g} % every hour through the portal and uses up the same allowance [D]."
        ),
        "Store": (
            f"A sweep every {sweeps['every_hours']} h from midnight takes {sweeps['takes_minutes']:g} min [C]; each meter at its own place in "
            "it. VEE data are posted to the last midnight."
        ),
        "Middle tier": (
            f"Lognormal, median {middle.median_s:g} s, sigma {middle.sigma:g}; {100 * middle.slow_share:g} % take "
            f"{middle.slow_from_s / 60:g}-{middle.slow_to_s / 60:g} min; {100 * middle.lost_share:g} % are lost [S], "
            "independently (in truth clustered in time)."
            + (f" Changed in this study: {_changed(laws['middle'])}." if laws["middle"] else "")
        ),
        "Radio": (
            f"1 + Poisson({network.extra_hops:g}) hops, a try times out after {to_s(law.TRY_TIMEOUT_US)} s, "
            f"retries after {', '.join(waits)} and {last_wait} s [D]."
            + (f" Changed in this study: {_changed(laws['network'])}." if laws["network"] else "")
            + f" {points:,} access points of {tps:g} reads/s: calls and home automation take {load:.2g} % of them; a queue there is rare. "
            "Home automation's reads and outages of access points are not in the radio's queue."
        ),
        "Meters": (
            f"{100 * states['good']:g} % good, {100 * states['flaky']:g} % flaky (half of them silent all day), {100 * states['dead']:g} % dead [D]."
        ),
        "Callers": (
            f"Hang up after an exponential time, mean {study['patience_mean_s']:g} s [D]; their request runs on. Nobody calls again."
        ),
        "Served": "Every interval of the gap delivered; under a store-only policy, what the store holds, whose age is told.",
        "Seed": f"{study['seed']}; every policy sees the same callers, a smaller level the first of a larger one's.",
        "Study": f"fingerprint {outcome.fingerprint} (the study and the code that computed it)",
        "Versions": ", ".join(f"{name} {found}" for name, found in versions().items()),
    }


def _changed(fields: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in fields.items())


def versions() -> dict[str, str]:
    """Versions of what computes an outcome."""
    return {"python": platform.python_version()} | {name: version_of(name) for name in (PRODUCT, "numpy", "simpy")}
