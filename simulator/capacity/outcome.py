"""What a load study gives: columns of arrays, one row per planned request, and the summary made from them with confidence intervals."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from headend.network.law import NetworkLaw
from meters.calendar import Seconds, epoch, fraction_s, rounded_us
from simulator.errors import SimulatorError
from simulator.smt.ondemand.lifecycle import State

#: How a request ended, as the columns number it.
ENDS = (State.COMPLETED, State.REFUSED, State.FAILED, State.T_FAILED, State.EXPIRED)
COMPLETED, REFUSED, FAILED, T_FAILED, EXPIRED = range(len(ENDS))


class Cell(NamedTuple):
    """One policy at one level in one replication, by position in the study."""

    policy: int
    level: int
    replication: int

    @property
    def file_name(self) -> str:
        """Name of the file that keeps the cell."""
        return f"p{self.policy:02d}-l{self.level:02d}-r{self.replication:04d}.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """(n,) each, in order of the planned arrivals."""

    #: Planned arrival, microseconds since the epoch.
    planned_us: NDArray[np.int64]
    #: Position in ``ENDS``.
    end: NDArray[np.int8]
    #: Position of the refusing limit in ``Outcome.codes``, -1 if not refused.
    code: NDArray[np.int8]
    #: Microseconds from the planned arrival to the end, whatever it was.
    latency_us: NDArray[np.int64]
    #: The same if nobody else called, nothing was refused and the meter was read; 0 if no answer ever came.
    unloaded_us: NDArray[np.int64]
    #: Tries at the meter.
    meter_reads: NDArray[np.int8]
    #: To where the intervals handed on reach, UTC epoch seconds; 0 when none were handed on.
    reaches_to: NDArray[np.int64]
    #: Microseconds from the planned arrival to the caller's hang-up.
    patience_us: NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write atomically, so that a file that is there is whole."""
        part = path.with_suffix(".part")
        with part.open("wb") as out:
            np.savez(out, **{field.name: getattr(self, field.name) for field in fields(self)})
        os.replace(part, path)

    @classmethod
    def load(cls, path: Path) -> Columns:
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as kept:
            return cls(**{field.name: kept[field.name] for field in fields(cls)})


class Estimate(NamedTuple):
    """Mean over the replications and half the width of its 95 % confidence interval; None where there is nothing to take it of."""

    mean: float | None
    half: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One policy at one level. Counts are requests per replication; latencies in seconds from the planned arrival, served ones only."""

    policy: str
    level: str
    planned: int
    served: Estimate
    served_from_store: Estimate
    #: Served, but with no interval: a store-only policy's answer for a meter that the sweeps do not reach.
    served_nothing: Estimate
    refused: Estimate
    #: Refusals by the code of the limit.
    refused_by: Mapping[str, Estimate]
    #: Refused, but handed the intervals that the store holds.
    refused_with_store: Estimate
    failed: Estimate
    t_failed: Estimate
    expired: Estimate
    p50_s: Estimate
    p95_s: Estimate
    #: Share of the planned, %.
    answered_before_hang_up: Estimate
    meter_reads: Estimate
    #: Minutes from the last interval served to the planned arrival.
    age_p50_min: Estimate
    age_p95_min: Estimate
    #: The same of the store's intervals that refused requests are handed.
    refused_age_p50_min: Estimate
    #: Per service level of the study: share of the requests not refused that were served in time, %.
    levels_met: tuple[Estimate, ...]

    def as_json(self) -> dict[str, Any]:
        """The row as JSON values; an estimate is {"mean", "ci95"}."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        return {"mean": _rounded(value.mean), "ci95": _rounded(value.half)}
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """All cells of a study. ``study``: the file's fields as JSON values. ``policies``: name, title and source of each."""

    study: Mapping[str, Any]
    fingerprint: str
    policies: Sequence[Mapping[str, str]]
    #: Codes that a refusal can have.
    codes: Sequence[str]
    #: Calls of the day before the hour, by level.
    calls_before: Sequence[int]
    cells: Mapping[Cell, Columns]

    def of(self, policy: int, level: int) -> list[Columns]:
        """The replications of one policy at one level."""
        return [self.cells[Cell(policy, level, one)] for one in range(self.study["replications"])]

    def rows(self) -> list[Row]:
        """The summary, by level, then by policy in the order of the study."""
        return [
            _row(self, policy, level)
            for level in range(len(self.study["levels"]))
            for policy in range(len(self.policies))
        ]

    def unloaded_levels(self, level: int) -> tuple[Estimate, ...]:
        """Per service level: the share of answers in time that no load at all gives, %."""
        cells = self.of(0, level)
        return tuple(
            estimate([_share((c.unloaded_us > 0) & _within(c.unloaded_us, wanted["within_s"])) for c in cells])
            for wanted in self.study["service_levels"]
        )

    def unloaded_before_hang_up(self, level: int) -> Estimate:
        """Share that would have the answer before the hang-up if there were no load at all and nothing was refused, %."""
        return estimate([_share((c.unloaded_us > 0) & (c.unloaded_us <= c.patience_us)) for c in self.of(0, level)])

    @property
    def access_point_tps(self) -> float:
        """Reads an access point carries in a second, by the study's law."""
        return float(self.study["laws"]["network"].get("access_point_tps", NetworkLaw().access_point_tps))

    @property
    def span_s(self) -> Seconds:
        """Seconds of the hour studied."""
        hour = self.study["hour"]
        return epoch(f"{hour['day']}T{hour['ends']}") - epoch(f"{hour['day']}T{hour['begins']}")

    def save(self, folder: Path) -> Path:
        """Write ``outcome.json`` beside the cells in ``cells/``: what the study was, and the summary. The same twice."""
        kept = folder / "outcome.json"
        written = {
            "study": self.study,
            "fingerprint": self.fingerprint,
            "policies": list(self.policies),
            "codes": list(self.codes),
            "calls_before": list(self.calls_before),
            "summary": [row.as_json() for row in self.rows()],
        }
        part = kept.with_suffix(".part")
        part.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
        os.replace(part, kept)
        return kept

    @classmethod
    def load(cls, folder: Path) -> Outcome:
        """Read a folder that a run has filled. Raises SimulatorError ``capacity.outcome.*``."""
        kept = folder / "outcome.json"
        try:
            written = json.loads(kept.read_text(encoding="utf-8"))
            study = written["study"]
            cells = {
                cell: Columns.load(folder / "cells" / written["fingerprint"] / cell.file_name)
                for cell in all_cells(len(written["policies"]), len(study["levels"]), study["replications"])
            }
            return cls(
                study,
                written["fingerprint"],
                written["policies"],
                written["codes"],
                written["calls_before"],
                cells,
            )
        except FileNotFoundError as error:
            raise SimulatorError(
                "capacity.outcome.absent",
                "This folder holds no whole outcome of a load study.",
                place=str(error.filename),
                mend="Run the study into this folder first.",
            ) from None
        except (ValueError, KeyError, TypeError, BadZipFile) as error:
            raise SimulatorError(
                "capacity.outcome.malformed",
                f"The outcome cannot be read: {error}.",
                place=str(kept),
                mend="Remove the folder and run the study again.",
            ) from None


def all_cells(policies: int, levels: int, replications: int) -> list[Cell]:
    """Every cell of a study of that size, the costly ones (later levels) of each replication beside the cheap ones."""
    return [
        Cell(policy, level, replication)
        for replication in range(replications)
        for level in range(levels)
        for policy in range(policies)
    ]


def _row(outcome: Outcome, policy: int, level: int) -> Row:
    cells = outcome.of(policy, level)

    def over(measure: Callable[[Columns], float]) -> Estimate:
        return estimate([measure(cell) for cell in cells])

    def count(which: Callable[[Columns], NDArray[np.bool_]]) -> Estimate:
        return over(lambda cell: float(np.count_nonzero(which(cell))))

    seen = sorted({int(code) for cell in cells for code in np.unique(cell.code)} - {-1})
    return Row(
        policy=outcome.policies[policy]["name"],
        level=outcome.study["levels"][level]["name"],
        planned=len(cells[0].planned_us),
        served=count(_served),
        served_from_store=count(lambda cell: _served(cell) & (cell.meter_reads == 0)),
        served_nothing=count(lambda cell: _served(cell) & (cell.reaches_to == 0)),
        refused=count(_refused),
        refused_by={outcome.codes[code]: count(lambda cell, code=code: cell.code == code) for code in seen},  # type: ignore[misc]
        refused_with_store=count(lambda cell: _refused(cell) & (cell.reaches_to > 0)),
        failed=count(lambda cell: cell.end == FAILED),
        t_failed=count(lambda cell: cell.end == T_FAILED),
        expired=count(lambda cell: cell.end == EXPIRED),
        p50_s=over(lambda cell: _percentile(fraction_s(cell.latency_us[_served(cell)]), 50)),
        p95_s=over(lambda cell: _percentile(fraction_s(cell.latency_us[_served(cell)]), 95)),
        answered_before_hang_up=over(lambda cell: _share(_served(cell) & (cell.latency_us <= cell.patience_us))),
        meter_reads=over(lambda cell: float(cell.meter_reads.sum())),
        age_p50_min=over(lambda cell: _percentile(_ages_min(cell, _served(cell)), 50)),
        age_p95_min=over(lambda cell: _percentile(_ages_min(cell, _served(cell)), 95)),
        refused_age_p50_min=over(lambda cell: _percentile(_ages_min(cell, _refused(cell)), 50)),
        levels_met=tuple(
            over(lambda cell, within_s=level["within_s"]: _met(cell, within_s))  # type: ignore[misc]
            for level in outcome.study["service_levels"]
        ),
    )


def _served(columns: Columns) -> NDArray[np.bool_]:
    served: NDArray[np.bool_] = columns.end == COMPLETED
    return served


def _refused(columns: Columns) -> NDArray[np.bool_]:
    refused: NDArray[np.bool_] = columns.end == REFUSED
    return refused


def _ages_min(columns: Columns, which: NDArray[np.bool_]) -> NDArray[np.float64]:
    given = which & (columns.reaches_to > 0)
    ages: NDArray[np.float64] = (fraction_s(columns.planned_us[given]) - columns.reaches_to[given]) / 60
    return ages


def _within(latency_us: NDArray[np.int64], within_s: float | None) -> NDArray[np.bool_]:
    return np.ones(len(latency_us), dtype=np.bool_) if within_s is None else latency_us <= rounded_us(within_s)


def _met(columns: Columns, within_s: float | None) -> float:
    asked = ~_refused(columns)
    return _share((_served(columns) & _within(columns.latency_us, within_s))[asked])


def _share(which: NDArray[np.bool_]) -> float:
    return 100 * float(which.mean()) if len(which) else float("nan")


def _percentile(values: NDArray[np.float64], q: float) -> float:
    return float(np.percentile(values, q)) if len(values) else float("nan")


def estimate(values: Iterable[float]) -> Estimate:
    """Mean and half-width of the 95 % confidence interval (Student t) over replications; those without a value (NaN) are left out."""
    kept = [value for value in values if value == value]
    n = len(kept)
    if n == 0:
        return Estimate(None, None)
    mean = sum(kept) / n
    if n == 1:
        return Estimate(mean, None)
    variance = sum((value - mean) ** 2 for value in kept) / (n - 1)
    return Estimate(mean, t_quantile(n - 1) * (variance / n) ** 0.5)


#: Student's t, 97.5 %, 1 to 30 degrees of freedom. Source: any printed table of the distribution.
_T975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def t_quantile(freedom: int) -> float:
    """97.5 % quantile of Student's t: from the table, beyond it by the first three terms of the expansion around the normal (error < 1e-4).

    Source: Abramowitz and Stegun, 26.7.5.
    """
    if freedom <= len(_T975):
        return _T975[freedom - 1]
    z = NormalDist().inv_cdf(0.975)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
