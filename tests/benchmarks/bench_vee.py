"""VEE of one channel of a market's day, all rules, against what a data team would write: the same findings by DuckDB, polars and pandas.

They need not locate: the kernel does, and its findings of those rules are left out of what is compared. CPU time of one process, since some
of them use threads; their tables are made before the clock starts. And the whole batch, and the forty meters of a live head-end.
"""

from __future__ import annotations

import functools
import hashlib
import os
import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from headend.ports import MeterKey
from headend.vee.batch import run_batch, validate
from headend.vee.findings import FINDING, FindingArray, in_order
from headend.vee.flags import no_flags
from headend.vee.kernel import validate_rows
from headend.vee.ladder import Past
from headend.vee.preset import Preset
from headend.vee.quality import Channel
from headend.vee.records import Asset, Assets, DayBlock, DayColumns, OctetArray, Power
from headend.vee.rules import Rule
from meters.status import Condition, status_word

_METERS, _N, _ROUNDS = 20_000, 96, 3
_LOCATING = [Rule.SPIKE, Rule.STUCK, Rule.ZERO, Rule.RESIDUAL]
_HARD = 12_000
Aggregates = dict[str, Any]


def _collected(meters: int) -> tuple[DayBlock, Assets, OctetArray]:
    """A day in which one meter in a hundred has something wrong with it, each in a way of its own."""
    rng = np.random.default_rng(7)
    wh = rng.integers(50, 900, (meters, _N)).astype(np.int32)
    true = wh.sum(axis=1, dtype=np.int64)
    status, power = np.zeros((meters, _N), np.uint16), np.zeros((meters, _N), np.uint8)
    present, have = np.ones((meters, _N), np.bool_), np.ones(meters, np.bool_)
    r0 = rng.integers(0, 5 * 10**8, meters)
    r1 = r0 + true
    assets = Assets.plain(meters)
    assets.dials[:] = 6
    for at, row in enumerate(rng.choice(meters, max(1, meters // 100), replace=False).tolist()):
        first = int(rng.integers(0, _N - 12))
        span = slice(first, first + int(rng.integers(1, 12)))
        # Which array, where, and what stands there then.
        wrong: list[tuple[Any, Any, Any]] = [
            (present, (row, span), False),
            (wh, (row, span), -wh[row, span]),
            (status, (row, span), status_word(0, Condition.OVERFLOW)),
            (wh, (row, first), _HARD + 1 + first),
            (wh, (row, first), 10 * wh[row, first]),
            (wh, (row, span), wh[row, first]),
            (wh, (row, span), 0),
            (r0, row, 10**9 - true[row]),
            (r1, row, 7),
            (have, row, False),
            (status, (row, span), _FAIL),
            (power, (row, span), Power.SWITCH_OPEN),
            (assets.clock_error_s, row, 300),
            (assets.told_multiplier, row, 10),
            (assets.asset, row, Asset.OTHER_NUMBER),
        ]
        array, where, value = wrong[at % len(wrong)]
        array[where] = value
        r1[row] = 0 if array is r0 else r1[row]
    zeros, nothing = np.zeros(meters, np.int64), np.zeros((meters, _N), np.int32)
    names = tuple(MeterKey(str(row), "") for row in range(meters))
    day = date(2026, 8, 12)
    return DayBlock(day, names, wh, nothing, status, present, r0, zeros, have, r1, zeros, have), assets, power


def _digest(findings: FindingArray) -> str:
    kept = findings[~np.isin(findings["rule"], _LOCATING)]
    return hashlib.sha256(in_order(kept).tobytes()).hexdigest()


def _findings(day: DayColumns, of: Aggregates) -> FindingArray:
    """What rows of aggregates and of registers say, for whoever made the aggregates: (m,) arrays, so it costs next to nothing."""
    made: list[FindingArray] = []

    def tell(rule: Rule, rows: Any, first: Any, last: Any, value: Any, limit: Any) -> None:
        found = np.zeros(len(day.wh), FINDING)
        for name, column in (
            ("row", np.arange(len(found))),
            ("first", first),
            ("last", last),
            ("value", value),
            ("limit", limit),
        ):
            found[name] = column
        found["rule"], found["channel"] = rule, Channel.LOAD
        made.append(found[rows])

    for rule, name in (
        (Rule.MISSING, "missing"),
        (Rule.NEGATIVE, "negative"),
        (Rule.CONDITION, "condition"),
        (Rule.USAGE_DISCONNECTED, "switched"),
        (Rule.USAGE_OUTAGE, "out"),
    ):
        tell(rule, of[name] > 0, of[f"{name}_first"], of[f"{name}_last"], of[name], 0)
    tell(Rule.HARD_MAXIMUM, of["beyond"] > 0, of["beyond_first"], of["beyond_last"], of["most"], _HARD)
    known = (day.r0 >= 0) & (day.r1 >= 0)
    gone = (day.r0 < 0) + 2 * (day.r1 < 0)
    tell(Rule.REGISTER_MISSING, gone > 0, 0, _N - 1, gone, 0)
    delta = day.r1 - day.r0
    turned = known & (delta < 0) & (day.r0 > 9 * 10**8) & (delta + 10**9 <= _N * _HARD)
    # All intervals deny it, and a register that began anew has no more than they.
    passes = np.maximum(2, (delta + 10**9) // 1000)
    turned &= ~((of["good"] == _N) & (delta + 10**9 - of["s"] > passes) & (day.r1 <= of["s"] + passes))
    tell(Rule.REGISTER_ROLLOVER, turned, 0, _N - 1, delta + 10**9, 0)
    tell(Rule.REGISTER_BACKWARDS, known & (delta < 0) & ~turned, 0, _N - 1, -delta, 0)
    tell(Rule.REGISTER_IMPLAUSIBLE, known & (delta > _N * _HARD), 0, _N - 1, delta, _N * _HARD)
    told = known & ((delta >= 0) & (delta <= _N * _HARD) | turned)
    advance = delta + 10**9 * turned
    tolerance = np.maximum(2, advance // 1000)
    left = advance - of["s"]
    failed = told & ((left < -tolerance) | ((left > tolerance) & (of["good"] == _N)))
    tell(Rule.SUM_FAILED, failed, 0, _N - 1, left, tolerance)
    tell(Rule.CLOCK_OFF, np.abs(day.clock_error_s) > 180, 0, 0, day.clock_error_s, 180)
    drift = (np.abs(day.clock_error_s) > 3) & (np.abs(day.clock_error_s) <= 180)
    tell(Rule.CLOCK_DRIFT, drift, 0, 0, day.clock_error_s, 3)
    tell(Rule.ASSET_MULTIPLIER, day.told_multiplier != day.multiplier, 0, 0, day.told_multiplier, day.multiplier)
    tell(Rule.ASSET_NUMBER, (day.asset & Asset.OTHER_NUMBER) != 0, 0, 0, 0, 0)
    return np.concatenate(made)


def _long(day: DayColumns) -> dict[str, Any]:
    rows, at = np.indices(day.wh.shape)
    columns: dict[str, Any] = {"wh": day.wh, "status": day.status, "present": day.present, "power": day.power}
    return {"row": rows.ravel().astype(np.int32), "i": at.ravel().astype(np.int16)} | {
        name: one.ravel() for name, one in columns.items()
    }


_KINDS = ("missing", "negative", "condition", "beyond", "switched", "out")
_UNUSABLE, _FAIL = 0xCF00, 0x2000


def _by_duckdb(day: DayColumns) -> Callable[[], Aggregates]:
    import duckdb
    import pandas as pd

    connection = duckdb.connect(config={"threads": 1})
    connection.register("handed", pd.DataFrame(_long(day)))
    connection.execute("CREATE TABLE intervals AS SELECT * FROM handed")
    kinds = ", ".join(
        f"count(*) FILTER ({one}) AS {one}, min(i) FILTER ({one}) AS {one}_first, max(i) FILTER ({one}) AS {one}_last"
        for one in _KINDS[:-1]
    )
    query = f"""
        WITH failing AS (
            SELECT row, i, present AND wh != 0 AS used, power & 1 != 0 AS told,
                lag(i) OVER near = i - 1 AND lead(i) OVER near = i + 1 AS inside
            FROM intervals WHERE status & {_FAIL} != 0 OR power & 1 != 0 WINDOW near AS (PARTITION BY row ORDER BY i)),
        dark AS (
            SELECT row, count(*) AS out, min(i) AS out_first, max(i) AS out_last
            FROM failing WHERE used AND (told OR inside) GROUP BY row),
        said AS (
            SELECT row, i, wh, NOT present AS missing, present AND wh < 0 AS negative,
                present AND status & {_UNUSABLE} != 0 AS condition, present AND wh > {_HARD} AS beyond,
                present AND wh != 0 AND power & 2 != 0 AS switched
            FROM intervals),
        summed AS (
            SELECT row, {kinds}, max(wh) FILTER (beyond) AS most,
                sum(wh) FILTER (NOT (missing OR negative OR condition OR beyond)) AS s,
                count(*) FILTER (NOT (missing OR negative OR condition OR beyond)) AS good
            FROM said GROUP BY row)
        SELECT * FROM summed LEFT JOIN dark USING (row) ORDER BY row"""
    return lambda: {
        name: np.nan_to_num(np.ma.filled(one, 0)) for name, one in connection.execute(query).fetchnumpy().items()
    }


def _by_polars(day: DayColumns) -> Callable[[], Aggregates]:
    os.environ["POLARS_MAX_THREADS"] = "1"
    import polars as pl

    table = pl.DataFrame(_long(day))
    col = pl.col

    def aggregate() -> Aggregates:
        used = col("present") & (col("wh") != 0)
        near = (col("i").shift(1) == col("i") - 1) & (col("i").shift(-1) == col("i") + 1)
        failing = table.lazy().filter((col("status") & _FAIL != 0) | (col("power") & 1 != 0))
        dark = (
            failing.with_columns(inside=near.over("row").fill_null(False))
            .filter(used & (col("inside") | (col("power") & 1 != 0)))
            .group_by("row")
            .agg(out=pl.len(), out_first=col("i").min(), out_last=col("i").max())
        )
        said = table.lazy().with_columns(
            missing=~col("present"),
            negative=col("present") & (col("wh") < 0),
            condition=col("present") & (col("status") & _UNUSABLE != 0),
            beyond=col("present") & (col("wh") > _HARD),
            switched=used & (col("power") & 2 != 0),
        )
        good = ~(col("missing") | col("negative") | col("condition") | col("beyond"))
        kinds = [
            expression
            for one in _KINDS[:-1]
            for expression in (
                col(one).sum(),
                col("i").filter(col(one)).min().alias(f"{one}_first"),
                col("i").filter(col(one)).max().alias(f"{one}_last"),
            )
        ]
        grouped = said.group_by("row").agg(
            *kinds,
            col("wh").filter(col("beyond")).max().alias("most"),
            col("wh").filter(good).cast(pl.Int64).sum().alias("s"),
            good.sum().alias("good"),
        )
        found = grouped.join(dark, on="row", how="left").sort("row").fill_null(0).collect()
        return {name: found[name].to_numpy().astype(np.int64) for name in found.columns}

    return aggregate


def _by_pandas(day: DayColumns) -> Callable[[], Aggregates]:
    import pandas as pd

    table = pd.DataFrame(_long(day))

    def aggregate() -> Aggregates:
        there, wh, power = table["present"], table["wh"], table["power"]
        fail = (table["status"] & _FAIL) != 0
        near = table.loc[fail, ["row", "i"]]
        by_row = near.groupby("row")["i"]
        inside = (by_row.shift(1) == near["i"] - 1) & (by_row.shift(-1) == near["i"] + 1)
        used = there & (wh != 0)
        said = {
            "missing": ~there,
            "negative": there & (wh < 0),
            "condition": there & ((table["status"] & _UNUSABLE) != 0),
            "beyond": there & (wh > _HARD),
            "switched": used & ((power & 2) != 0),
            "out": used & (((power & 1) != 0) | inside.reindex(table.index, fill_value=False)),
        }
        good = ~(said["missing"] | said["negative"] | said["condition"] | said["beyond"])
        grouped = table.assign(good=good, kept=wh.where(good, 0)).groupby("row")
        found: Aggregates = {"s": grouped["kept"].sum().to_numpy(), "good": grouped["good"].sum().to_numpy()}
        rows = np.arange(len(day.wh))
        for one, at in said.items():
            # Only what is flagged is grouped again: few rows are.
            of = table.loc[at].groupby("row")
            for name, column in (
                (one, of["i"].count()),
                (f"{one}_first", of["i"].min()),
                (f"{one}_last", of["i"].max()),
            ):
                found[name] = column.reindex(rows, fill_value=0).to_numpy()
        found["most"] = table.loc[said["beyond"]].groupby("row")["wh"].max().reindex(rows, fill_value=0).to_numpy()
        return found

    return aggregate


def _told_by(aggregate: Callable[[], Aggregates], day: DayColumns) -> FindingArray:
    return _findings(day, aggregate())


def _cpu_s(call: Callable[[], object], times: int = 1) -> float:
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times


class _LikeDays:
    """Three like days of every row that asks, made beforehand."""

    def __init__(self, meters: int) -> None:
        self._none = np.full(meters, -1, np.int64)

    def registers_before(self, _channel: Channel) -> Any:
        return self._none

    daily_average = registers_before

    def past(self, _channel: Channel, rows: Any, _back_days: int) -> Past:
        like = np.full((len(rows), 3, _N), 400, np.int32)
        return Past(np.full(len(rows), 400, np.int64), np.array([1, 2, 5]), like, np.zeros(len(rows), np.int64))


def run() -> list[dict[str, Any]]:
    """Give the rows: validation beside each of the three, the batch, forty meters."""
    block, assets, power = _collected(_METERS)
    none = np.full(_METERS, -1, np.int64)
    day = block.columns(Channel.LOAD, assets, none, none, power)
    preset = Preset()
    flags, findings = validate(day, preset, Channel.LOAD)
    digest, room = _digest(findings), np.zeros(len(findings), FINDING)
    megas = _METERS * _N / 1e6

    def ours() -> None:
        flags.bad[flags.touched] = 0
        validate_rows(day, preset.limits, int(Channel.LOAD), flags, room)

    rows = []
    for name, make in (("", _by_duckdb), ("_polars", _by_polars), ("_pandas", _by_pandas)):
        theirs = functools.partial(_told_by, make(day), day)
        if _digest(theirs()) != digest:
            raise AssertionError(f"vee_validation{name}: its findings are not the kernel's")
        pairs = [(megas / _cpu_s(ours, 20), megas / _cpu_s(theirs)) for _ in range(_ROUNDS)]
        beside = f"the same findings ({digest[:12]}) by {make.__name__.removeprefix('_by_')}"
        rows.append(_row(f"vee_validation{name}", "M intervals/s", beside, pairs))
    past = _LikeDays(_METERS)
    run_batch(block, past, preset, assets, power)
    batch = [
        (2 * megas / _cpu_s(lambda: run_batch(block, past, preset, assets, power), 3), megas / _cpu_s(ours, 20))
        for _ in range(_ROUNDS)
    ]
    rows.append(_row("vee_batch", "M intervals/s", "validation alone", batch))
    few, few_assets, few_power = _collected(40)
    some = few.columns(Channel.LOAD, few_assets, none[:40], none[:40], few_power)
    fresh = no_flags(some.wh.shape)
    forty = [
        (
            1000 * _cpu_s(lambda: run_batch(few, None, preset, few_assets, few_power), 50),
            1000 * _cpu_s(lambda: validate_rows(some, preset.limits, 4, fresh, room), 50),
        )
        for _ in range(_ROUNDS)
    ]
    rows.append(_row("vee_live", "ms for 40 meters", "validation alone", forty))
    return rows


def _row(name: str, unit: str, baseline: str, pairs: list[tuple[float, float]]) -> dict[str, Any]:
    value, beside = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    return {"name": name, "value": value, "unit": unit, "baseline": baseline, "baseline_value": beside, "ratio": ratio}
