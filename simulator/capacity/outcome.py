"""What a load study leaves: every cell's figures, what moved them, where it breaks; kept as JSON and Parquet, and read again without playing anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from simulator.capacity.paired import Estimate, Regret, difference, estimate, regret_of
from simulator.capacity.told import ALL, GROUPS, MEASURES, READS, Told
from simulator.errors import SimulatorError

Floats = NDArray[np.float64]
#: (n,) each, by column.
Frame = Mapping[str, NDArray[Any]]
#: A knob's value: a number, or a word.
Value = float | str
OUTCOME, CELLS = "outcome.json", "cells.parquet"


class Workload(NamedTuple):
    """A workload that was played."""

    name: str
    title: str
    seed: int
    first_day: str
    days: int
    meters: int
    access_points: int
    #: To be expected, without those who ask again.
    requests: float


class Throttle(NamedTuple):
    """A policy that was played: ``source`` as in ``limits.Source``."""

    name: str
    title: str
    source: str


class Key(NamedTuple):
    """What a cell is of, by names. ``change``: what is assumed otherwise than in the study, ``workers=100``, several parted by blanks; empty: nothing."""

    workload: str
    policy: str
    change: str = ""
    replication: int = 0


class Assumption(NamedTuple):
    """What the tornado moves: a knob, its value in the study, its low and high one; mark as in docs/glossary.md, and the source."""

    knob: str
    title: str
    unit: str
    base: Value
    low: Value
    high: Value
    mark: str
    source: str

    def change(self, end: str) -> str:
        """The change at ``low`` or ``high``, as ``Key.change`` has it."""
        return changed(self.knob, self.low if end == "low" else self.high)


class Swing(NamedTuple):
    """By how much a measure moves where an assumption is at its ``end``, low or high: paired difference to the study's own."""

    assumption: Assumption
    end: str
    workload: str
    policy: str
    by: Estimate


class Point(NamedTuple):
    """A place on the curve of a knee: the knob's value, requests a day to be expected, what the level asks of, and the 95th percentile of the answers' seconds."""

    value: float
    requests: float
    level: Estimate
    p95_s: Estimate


class Knee(NamedTuple):
    """Where a level is no longer kept as a knob is turned up."""

    workload: str
    policy: str
    level: str
    knob: str
    #: The knob's value in the study and the last one found that keeps the level; None: the first one tried does not.
    base: float
    kept: float | None
    #: The first one found that does not; None: the last one tried does.
    broken: float | None
    #: kept / base - 1, and requests a day that there are then more than in the study.
    headroom: float | None
    more: float | None
    #: The resource or limit that binds: that whose relief, where it is broken, brings the level's measure nearest; empty: none helps.
    binds: str
    #: The measure where it is broken, with one resource or limit after the other relieved.
    relief: Mapping[str, float | None]
    #: Ascending.
    points: Sequence[Point]


class Observed(NamedTuple):
    """What a resource of a first replication did, for theory to be held beside. Rates a second, spans in seconds."""

    workload: str
    policy: str
    resource: str
    #: 0: without bound.
    servers: int
    #: Of one of several alike (access points) the mean.
    arrivals: float
    span_s: float
    #: By the laws, and by how much of it was heard: mean of a service, and its squared coefficient of variation.
    service_s: float
    service_cv2: float
    #: Mean from arrival to the service's end, and the mean count of those that are there, by its integral over time.
    time_s: float
    there: float


def changed(knob: str, value: Value) -> str:
    """A change as ``Key.change`` has it."""
    return f"{knob}={value}" if isinstance(value, str) else f"{knob}={value:.12g}"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Everything, by names."""

    #: The file's fields as JSON values.
    study: Mapping[str, Any]
    #: Of the study, its files and the code.
    fingerprint: str
    workloads: Sequence[Workload]
    #: The first one is what others are held against.
    policies: Sequence[Throttle]
    replications: int
    #: The fields of ``engine.law.Assumptions`` as JSON values.
    assumed: Mapping[str, Any]
    cells: Mapping[Key, Mapping[str, Told]]
    tornado: Sequence[Assumption] = ()
    knees: Sequence[Knee] = ()
    observed: Sequence[Observed] = ()
    #: Of first replications, by name and kept in a Parquet file each. ``asked``: requests by workload, policy, class, ror, hour (of the clock),
    #: told (in the call) and code (of what refused, empty). ``use``: of each 5 minutes, where the study was asked to measure it.
    first: Mapping[str, Frame] = field(default_factory=dict)

    @property
    def workload_names(self) -> list[str]:
        """In the study's order."""
        return [one.name for one in self.workloads]

    @property
    def policy_names(self) -> list[str]:
        """In the study's order."""
        return [one.name for one in self.policies]

    def of(self, workload: str, policy: str, change: str = "") -> list[Mapping[str, Told]]:
        """The replications of a workload under a policy."""
        found: list[Mapping[str, Told]] = []
        while (told := self.cells.get(Key(workload, policy, change, len(found)))) is not None:
            found.append(told)
        return found

    def series(self, workload: str, policy: str, measure: str, group: str = READS, change: str = "") -> Floats:
        """(r,) one of ``MEASURES`` by replication."""
        return np.asarray(
            [getattr(told[group], measure) for told in self.of(workload, policy, change)], dtype=np.float64
        )

    def values(self, measure: str, group: str = READS) -> Floats:
        """(workloads, policies, replications) one of ``MEASURES``, nothing changed."""
        return np.asarray(
            [
                [self.series(workload, policy, measure, group) for policy in self.policy_names]
                for workload in self.workload_names
            ]
        )

    def paired(self, measure: str, group: str = READS) -> list[list[Estimate]]:
        """By workload and policy: the difference to the first policy over the same callers."""
        return [[difference(one, of[0]) for one in of] for of in self.values(measure, group)]

    def regret(self, measure: str, group: str = READS, *, more_is_better: bool = True) -> Regret | None:
        """Regret over the workloads; None where a workload has nobody to judge by."""
        values = self.values(measure, group) * (1 if more_is_better else -1)
        return None if np.isnan(values).any() else regret_of(values)

    def swings(self, measure: str, group: str = READS) -> Iterator[Swing]:
        """By assumption, end, workload and policy; those that were played."""
        for one in self.tornado:
            for end in ("low", "high"):
                for workload in self.workload_names:
                    for policy in self.policy_names:
                        there = self.series(workload, policy, measure, group, one.change(end))
                        if len(there):
                            here = self.series(workload, policy, measure, group)[: len(there)]
                            yield Swing(one, end, workload, policy, difference(there, here))

    def as_json(self) -> dict[str, Any]:
        """All but single cells: estimates are {"mean", "ci95"}, null of nothing."""
        return {
            "study": dict(self.study),
            "fingerprint": self.fingerprint,
            "workloads": [one._asdict() for one in self.workloads],
            "policies": [one._asdict() for one in self.policies],
            "replications": self.replications,
            "assumed": dict(self.assumed),
            "summary": [
                {"workload": workload, "policy": policy, "told": self._summed(workload, policy)}
                for workload in self.workload_names
                for policy in self.policy_names
            ],
            "less_the_first": {
                measure: [
                    {"workload": workload, "policy": policy, **_plain(by)}
                    for workload, of in zip(self.workload_names, self.paired(measure, group), strict=True)
                    for policy, by in zip(self.policy_names, of, strict=True)
                ]
                for measure, group in JUDGED
            },
            "regret": {
                measure: self._regret(measure, group) for measure, group in JUDGED if measure in ("told_in_call", "usd")
            },
            "tornado": [one._asdict() for one in self.tornado],
            "swings": {
                measure: [
                    {
                        "knob": one.assumption.knob,
                        "end": one.end,
                        "workload": one.workload,
                        "policy": one.policy,
                        **_plain(one.by),
                    }
                    for one in self.swings(measure, group)
                ]
                for measure, group in JUDGED
            },
            "knees": [
                one._asdict()
                | {"relief": {name: _number(of) for name, of in one.relief.items()}}
                | {
                    "points": [
                        point._asdict()
                        | {"level": list(map(_number, point.level)), "p95_s": list(map(_number, point.p95_s))}
                        for point in one.points
                    ]
                }
                for one in self.knees
            ],
            "observed": [one._asdict() for one in self.observed],
        }

    def _summed(self, workload: str, policy: str) -> dict[str, Any]:
        cells = self.of(workload, policy)
        return {
            group: {
                measure: _plain(estimate([getattr(told[group], measure) for told in cells])) for measure in MEASURES
            }
            | {
                "refused_by": {
                    code: float(np.mean([told[group].refused_by.get(code, 0) for told in cells]))
                    for code in sorted({code for told in cells for code in told[group].refused_by})
                }
            }
            for group in GROUPS
        }

    def _regret(self, measure: str, group: str) -> dict[str, Any] | None:
        found = self.regret(measure, group, more_is_better=measure == "told_in_call")
        if found is None:
            return None
        return {
            "leaders": [self.policy_names[at] for at in found.leaders],
            "policies": [
                {"policy": name, "on": self.workload_names[where], **_plain(one)}
                for name, where, one in zip(self.policy_names, found.where, found.estimates, strict=True)
            ],
        }

    def save(self, folder: Path) -> Path:
        """Write ``outcome.json``, ``cells.parquet`` and a Parquet file for each of ``first``. The same twice. The path of the first."""
        _write_parquet(folder / CELLS, {name: np.asarray(column) for name, column in self._columns().items()})
        for name, frame in self.first.items():
            _write_parquet(folder / f"{name}.parquet", frame)
        path = folder / OUTCOME
        part = path.with_suffix(".part")
        written = {**self.as_json(), "first": list(self.first)}
        part.write_text(json.dumps(written, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(part, path)
        return path

    def _columns(self) -> dict[str, list[Any]]:
        """A row for each cell and group."""
        of = [(key, group, told) for key, groups in sorted(self.cells.items()) for group, told in groups.items()]
        return {
            **{name: [getattr(key, name) for key, _, _ in of] for name in Key._fields},
            "group": [group for _, group, _ in of],
            **{measure: [getattr(told, measure) for _, _, told in of] for measure in MEASURES},
            "refused_by": [json.dumps(told.refused_by) for _, _, told in of],
        }

    @classmethod
    def load(cls, folder: Path) -> Outcome:
        """Read what ``save`` wrote. Raises SimulatorError ``capacity.outcome.*``."""
        kept = folder / OUTCOME
        try:
            written = json.loads(kept.read_text(encoding="utf-8"))
            rows = _read_parquet(folder / CELLS).to_pylist()
            cells: dict[Key, dict[str, Told]] = {}
            for row in rows:
                key, group = Key(*(row.pop(name) for name in Key._fields)), row.pop("group")
                cells.setdefault(key, {})[group] = Told(**row | {"refused_by": json.loads(row["refused_by"])})
            first = {
                name: {one: column.to_numpy() for one, column in zip(table.column_names, table.columns, strict=True)}
                for name in written["first"]
                for table in [_read_parquet(folder / f"{name}.parquet")]
            }
            return cls(
                study=written["study"],
                fingerprint=written["fingerprint"],
                workloads=[Workload(**one) for one in written["workloads"]],
                policies=[Throttle(**one) for one in written["policies"]],
                replications=written["replications"],
                assumed=written["assumed"],
                cells=cells,
                tornado=[Assumption(**one) for one in written["tornado"]],
                knees=_KNEES.validate_python(written["knees"]),
                observed=[Observed(**one) for one in written["observed"]],
                first=first,
            )
        except FileNotFoundError as error:
            raise SimulatorError(
                "capacity.outcome.absent",
                "This folder holds no whole outcome of a load study.",
                place=str(error.filename),
                mend="Run the study into this folder first.",
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError, ValidationError, pa.ArrowException) as error:
            raise SimulatorError(
                "capacity.outcome.malformed",
                f"The outcome cannot be read: {str(error).splitlines()[0]}.",
                place=str(kept),
                mend="Remove the folder and run the study again.",
            ) from None


#: What policies are judged by, and whose: see ``told``.
JUDGED = (("told_in_call", READS), ("usd", READS), ("meter_reads", ALL))
_KNEES = TypeAdapter(list[Knee])


def _plain(of: Estimate) -> dict[str, float | None]:
    return {"mean": of.mean, "ci95": of.half}


def _number(of: float | None) -> float | None:
    return None if of is None or of != of else of


def told_json(told: Mapping[str, Told]) -> dict[str, Any]:
    """A cell's figures as JSON values; NaN is null."""
    return {
        group: {name: None if isinstance(of, float) and of != of else of for name, of in asdict(one).items()}
        for group, one in told.items()
    }


def told_in(written: Mapping[str, Any]) -> dict[str, Told]:
    """What ``told_json`` has made."""
    nan: Any = float("nan")
    return {
        group: Told(**{name: nan if of is None else of for name, of in one.items()}) for group, one in written.items()
    }


def _read_parquet(path: Path) -> pa.Table:
    # Opened here: the library's own complaint of an absent file does not name it.
    with path.open("rb") as held:
        return pq.read_table(held)


def _write_parquet(path: Path, frame: Frame) -> None:
    part = path.with_suffix(".part")
    pq.write_table(pa.table(dict(frame)), part, compression="zstd")
    os.replace(part, path)
