"""Runs a load study: cells mapped over a standard executor, each kept as it ends; replications until a difference is known well enough; knees by bisection.

A cell is a pure function of its task, so the outcome is the same whatever plays it, and a broken run goes on where it was.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Executor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from simulator.capacity.cell import Cell, Task, code, play_cell
from simulator.capacity.knobs import EVERY, KNOBS, RELIEFS, WITHOUT
from simulator.capacity.levels import Level, level_of
from simulator.capacity.outcome import (
    Frame,
    Key,
    Knee,
    Observed,
    Outcome,
    Point,
    Throttle,
    Workload,
    changed,
    told_in,
    told_json,
)
from simulator.capacity.paired import difference, estimate
from simulator.capacity.study import KneeSpec, Study

#: Told with (cells done, cells in all, as far as it is known) whenever one is done.
Progress = Callable[[int, int], None]
#: Yields the cells that it needs next, and returns what it found.
Search = Generator[list[Key], None, Knee]


def run_study(
    study: Study,
    out: Path | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    play: Callable[[Task], Cell] = play_cell,
    *,
    rows: bool = False,
) -> Outcome:
    """Play every cell that ``out`` does not hold yet, and save the outcome there.

    out: folder; None keeps nothing. executor: None plays in this process. play: ``play_cell``, or what calls it. rows: write those of first
    replications too, into ``out/rows``. On an interrupt those done stay
    in the folder: the next run with the same code goes on from them, of this study or of one that has the same cells.
    """
    playing = _Playing(study, out, executor, progress, play, rows=rows)
    replications = playing.until()
    knees = playing.search([_knee(playing, one, policy) for one, policy in study.knees()])
    keys = {*study.main(range(replications)), *study.swung()}
    outcome = Outcome(
        study=study.spec.model_dump(mode="json"),
        fingerprint=study.fingerprint(),
        workloads=[
            Workload(
                plan.spec.name,
                plan.spec.title,
                plan.spec.seed,
                str(plan.spec.day),
                plan.spec.days,
                plan.fleet.meters,
                plan.fleet.points,
                plan.expected(),
            )
            for plan in study.plans
        ],
        policies=[Throttle(one.name, one.title, one.source.value) for one in study.policies],
        replications=replications,
        assumed=json.loads(json.dumps(dataclasses.asdict(playing.assumptions), default=sorted)),
        cells={key: cell.told for key, cell in playing.cells.items() if key in keys},
        tornado=study.tornado(),
        knees=knees,
        observed=[of for key in study.main(range(1)) for of in playing.cells[key].observed],
        first=playing.first(),
    )
    if out is not None:
        outcome.save(out)
    return outcome


class _Playing:
    """What has been played, and plays the rest."""

    def __init__(
        self,
        study: Study,
        out: Path | None,
        executor: Executor | None,
        progress: Progress | None,
        play: Callable[[Task], Cell],
        *,
        rows: bool,
    ) -> None:
        self.study = study
        self.cells: dict[Key, Cell] = {}
        self.assumptions = study.setting(study.plans[0].spec.name, study.policies[0].name).assumptions
        self._folder = None if out is None else out / "cells" / code()[:16]
        self._rows = out / "rows" if out is not None and rows else None
        self._executor, self._progress, self._play = executor, progress, play
        self._wanted = 0
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)

    def play(self, keys: Iterable[Key]) -> None:
        """Have these cells."""
        tasks = [
            dataclasses.replace(self.study.task(key), rows=self._rows)
            for key in dict.fromkeys(keys)
            if key not in self.cells
        ]
        self._wanted += len(tasks)
        missing = []
        for task in tasks:
            cell = self._kept(task)
            if cell is None:
                missing.append(task)
            else:
                self.cells[task.key] = cell
        self._tell()
        if self._executor is None:
            for task in missing:
                self._keep(task, self._play(task))
        else:
            futures = {self._executor.submit(self._play, task): task for task in missing}
            for future in as_completed(futures):
                self._keep(futures[future], future.result())

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(len(self.cells), self._wanted)

    def _kept(self, task: Task) -> Cell | None:
        if self._folder is None or (task.rows_file is not None and not task.rows_file.exists()):
            return None
        try:
            written = json.loads((self._folder / f"{task.mark}.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            # A machine that lost its power may have kept a name and not what was written under it.
            return None
        frames = {
            name: {of: np.asarray(column) for of, column in one.items()} for name, one in written["first"].items()
        }
        return Cell(told_in(written["told"]), frames, [Observed(*one) for one in written["observed"]])

    def _keep(self, task: Task, cell: Cell) -> None:
        self.cells[task.key] = cell
        if self._folder is not None:
            frames = {name: {of: column.tolist() for of, column in one.items()} for name, one in cell.first.items()}
            path = self._folder / f"{task.mark}.json"
            part = path.with_suffix(f".{os.getpid()}")
            part.write_text(
                json.dumps({"told": told_json(cell.told), "first": frames, "observed": cell.observed}), encoding="utf-8"
            )
            os.replace(part, path)
        self._tell()

    def until(self) -> int:
        """Play the study's own cells and the tornado's, and go on until differences are known; how many replications that took."""
        study, until = self.study, self.study.spec.until
        count = study.spec.replications
        self.play([*study.main(range(count)), *study.swung()])
        while until is not None and count < until.most:
            width = max(self._width(count, until.measure, plan.spec.name) for plan in study.plans)
            # Two may lie near each other by chance.
            if width <= until.half_width and count > 2:
                break
            more = until.most if math.isinf(width) else math.ceil(count * (width / until.half_width) ** 2)
            begun, count = count, min(until.most, max(count + 1, more))
            self.play(study.main(range(begun, count)))
        return count

    def _width(self, count: int, measure: str, workload: str) -> float:
        """Half of the widest interval of a difference to the first policy."""
        first, *others = (self.values(workload, one.name, "", count, measure) for one in self.study.policies)
        halves = [difference(one, first).half for one in others]
        return max((math.inf if half is None else half for half in halves), default=0.0)

    def values(
        self, workload: str, policy: str, change: str, count: int, measure: str, group: str = "call_centre_reads"
    ) -> Any:
        """(r,) a measure by replication."""
        told = [self.cells[Key(workload, policy, change, at)].told[group] for at in range(count)]
        return np.asarray([getattr(one, measure) for one in told], dtype=np.float64)

    def search(self, searches: Sequence[Search]) -> list[Knee]:
        """All at once: what they need next is played together."""
        found: dict[int, Knee] = {}
        while len(found) < len(searches):
            wanted: list[Key] = []
            for at, search in enumerate(searches):
                if at not in found:
                    try:
                        wanted += next(search)
                    except StopIteration as over:
                        found[at] = over.value
            self.play(wanted)
        return [found[at] for at in range(len(searches))]

    def first(self) -> dict[str, Frame]:
        """The frames of the first replications, one below the other, with their workload and policy."""
        found: dict[str, list[dict[str, Any]]] = {}
        for key in self.study.main(range(1)):
            for name, frame in self.cells[key].first.items():
                n = len(next(iter(frame.values())))
                beside = {"workload": np.full(n, key.workload), "policy": np.full(n, key.policy)}
                found.setdefault(name, []).append({**beside, **frame})
        return {
            name: {column: np.concatenate([one[column] for one in frames]) for column in frames[0]}
            for name, frames in found.items()
        }


def _knee(playing: _Playing, spec: KneeSpec, policy: str) -> Search:
    """Double the knob's value until the level breaks, then halve what lies between; then relieve one thing after the other."""
    study, level, count = playing.study, level_of(spec.level), spec.replications
    here = study.setting(spec.workload, policy)
    its = KNOBS[spec.knob]
    base = float(its.base(here))
    tried: dict[float, bool] = {}

    def keys(change: str) -> list[Key]:
        return [Key(spec.workload, policy, change, at) for at in range(count)]

    def change_of(value: float) -> str:
        return "" if value == base else changed(spec.knob, value)

    def mean(change: str) -> float:
        return float(_of(playing, spec, policy, change, level).mean())

    value: float | None = base if spec.start is None else spec.start
    while value is not None:
        yield keys(change_of(value))
        tried[value] = level.kept_by(mean(change_of(value)))
        value = _next(spec, tried, whole=its.whole)
    kept = max((one for one, is_kept in tried.items() if is_kept), default=None)
    broken = min((one for one, is_kept in tried.items() if not is_kept), default=None)
    relief: dict[str, float] = {}
    binds, side = "", 1 if level.up else -1
    if broken is not None:
        reliefs = {f"{change_of(broken)} {one}".strip(): what for one, what in RELIEFS.items()}
        yield [key for change in reliefs for key in keys(change)]
        # Each limit, if all of them together bind.
        limits = [*dict.fromkeys(one.name.partition("/")[0] for one in here.policy.limits)]
        all_of_them = f"{change_of(broken)} {WITHOUT}={EVERY}".strip()
        yield keys(all_of_them)
        if side * mean(all_of_them) > side * mean(change_of(broken)):
            each = {f"{change_of(broken)} {WITHOUT}={one}".strip(): f"limit {one}" for one in limits}
            yield [key for change in each for key in keys(change)]
            reliefs |= each | {all_of_them: "all limits"}
        relief = {what: mean(change) for change, what in reliefs.items()}
        best = max(reliefs, key=lambda one: side * mean(one))
        binds = reliefs[best] if side * mean(best) > side * mean(change_of(broken)) else ""

    def requests(value: float) -> float:
        plan = study.setting(spec.workload, policy, change_of(value)).plan
        return plan.expected() / plan.spec.days

    return Knee(
        workload=spec.workload,
        policy=policy,
        level=level.text,
        knob=spec.knob,
        base=base,
        kept=kept,
        broken=broken,
        headroom=None if kept is None else kept / base - 1,
        more=None if kept is None else requests(kept) - requests(base),
        binds=binds,
        relief=relief,
        points=[
            Point(
                value,
                requests(value),
                estimate(_of(playing, spec, policy, change_of(value), level).tolist()),
                estimate(playing.values(spec.workload, policy, change_of(value), count, "p95_s", level.group).tolist()),
            )
            for value in sorted(tried)
        ],
    )


def _of(playing: _Playing, spec: KneeSpec, policy: str, change: str, level: Level) -> Any:
    return playing.values(spec.workload, policy, change, spec.replications, level.measure, level.group)


def _next(spec: KneeSpec, tried: dict[float, bool], *, whole: bool) -> float | None:
    """The value to be tried next; None: the knee is known."""
    kept = max((one for one, is_kept in tried.items() if is_kept), default=None)
    broken = min((one for one, is_kept in tried.items() if not is_kept), default=None)
    if kept is None or (broken is not None and kept > broken):
        return None
    if broken is None:
        return None if kept >= spec.upto else min(2 * kept, spec.upto)
    value = math.sqrt(kept * broken)
    if whole:
        value = float(round(value))
    else:
        # As a change says it.
        value = float(f"{value:.6g}")
    return None if broken / kept <= 1 + spec.within or value in tried else value
