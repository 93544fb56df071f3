"""Runs a load study: one cell is one policy at one level in one replication, mapped over a standard executor and kept as it is done.

A cell is a pure function of the study, so the outcome is the same whatever the number of workers, and a broken run goes on where it was.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from headend.ondemand.process import Answer
from headend.wire import Outcome as HeadEndOutcome
from meters.calendar import Seconds, to_us
from simulator.capacity.demand import Demand, draw, live_day_so_far, sweeps_of
from simulator.capacity.fingerprint import fingerprint
from simulator.capacity.model import Air, Model
from simulator.capacity.outcome import ENDS, Cell, Columns, Outcome, all_cells
from simulator.capacity.study import Study
from simulator.smt.ondemand.lifecycle import STORE_ONLY, OnDemandRequest, State

#: Told with (cells done, cells in all) whenever one is done.
Progress = Callable[[int, int], None]

_END = {state: at for at, state in enumerate(ENDS)}


def run_study(
    study: Study, out: Path | None = None, executor: Executor | None = None, progress: Progress | None = None
) -> Outcome:
    """Run every cell that ``out`` does not hold yet, and save the outcome there.

    out: folder; None keeps nothing. executor: None runs in this process. On an interrupt those done stay
    in the folder: the next run of the same study with the same code goes on from them.
    """
    spec = study.spec
    mark = fingerprint(study)
    folder = out / "cells" / mark if out is not None else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    cells = all_cells(len(study.policies), len(spec.levels), spec.replications)
    done: dict[Cell, Columns] = {}
    if folder is not None:
        done = {one: Columns.load(folder / one.file_name) for one in cells if (folder / one.file_name).exists()}

    def keep(cell: Cell, columns: Columns) -> None:
        done[cell] = columns
        if folder is not None:
            columns.save(folder / cell.file_name)
        if progress is not None:
            progress(len(done), len(cells))

    if progress is not None:
        progress(len(done), len(cells))
    to_do = [one for one in cells if one not in done]
    if executor is None:
        for cell in to_do:
            keep(cell, run_cell(study, cell))
    else:
        _mapped(study, to_do, executor, keep)
    outcome = Outcome(
        study=spec.model_dump(mode="json"),
        fingerprint=mark,
        policies=[
            {"name": policy.name, "title": policy.title, "source": policy.source.value} for policy in study.policies
        ],
        codes=codes_of(study),
        calls_before=[study.calls_before(level) for level in spec.levels],
        cells={one: done[one] for one in cells},
    )
    if out is not None:
        outcome.save(out)
    return outcome


def _mapped(study: Study, cells: list[Cell], executor: Executor, keep: Callable[[Cell, Columns], None]) -> None:
    futures: dict[Future[Columns], Cell] = {executor.submit(run_cell, study, cell): cell for cell in cells}
    for future in as_completed(futures):
        keep(futures[future], future.result())


def codes_of(study: Study) -> list[str]:
    """The codes that a refusal can have in a study."""
    codes = [limit.code for policy in study.policies for limit in policy.limits]
    return sorted({*codes, STORE_ONLY.code})


def run_cell(study: Study, cell: Cell) -> Columns:
    """Run one cell. Pure in (study, cell)."""
    with collector_paused():
        return run_drawn(study, cell, draw(study, study.spec.levels[cell.level], cell.replication))


def run_drawn(study: Study, cell: Cell, demand: Demand) -> Columns:
    """Run one cell whose callers are drawn: give them their day so far, let simpy run free, fill the columns."""
    record = _Record(study, demand)
    model = Model(
        study.policies[cell.policy],
        sweeps_of(study, demand),
        to_us(study.begins),
        air=Air(study.network),
        ended=record,
    )
    live_day_so_far(study, study.spec.levels[cell.level], cell.replication, demand, model)
    model.run(demand.requests)
    return record.columns()


@contextmanager
def collector_paused() -> Generator[None, None, None]:
    """Pause the cycle collector for one cell: all its requests live to its end, so passes over them free nothing and cost a fifth."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _reach(end: Seconds, answer: Answer) -> Seconds:
    """To where an answer's intervals reach: the end of the gap, if a meter was read for it or the store held all of it."""
    whole = answer.outcome is HeadEndOutcome.COMPLETED and answer.meter_reads
    return end if whole or answer.lacked_from is None else answer.lacked_from


class _Record:
    """Called with each request that has ended; fills the columns at its position."""

    def __init__(self, study: Study, demand: Demand) -> None:
        n = len(demand.requests)
        self._demand = demand
        self._codes = {code: at for at, code in enumerate(codes_of(study))}
        self._end = [-1] * n
        self._code = [-1] * n
        self._ended_us = [0] * n
        self._meter_reads = [0] * n
        self._reaches_to = [0] * n

    def __call__(self, request: OnDemandRequest) -> None:
        at = int(request.key)
        self._end[at] = _END[request.state]
        self._ended_us[at] = request.history[-1][1]
        if request.state is State.REFUSED and request.refusal is not None:
            self._code[at] = self._codes[request.refusal.code]
        answered = request.answered
        if answered is not None:
            self._meter_reads[at] = answered.meter_reads
            reach = answered.reaches_to or _reach(request.end, answered.content)
            self._reaches_to[at] = reach if reach > request.start else 0

    def columns(self) -> Columns:
        """The columns, when all requests have ended."""
        planned = self._demand.day.until_us
        return Columns(
            planned_us=planned,
            end=np.asarray(self._end, dtype=np.int8),
            code=np.asarray(self._code, dtype=np.int8),
            latency_us=np.asarray(self._ended_us, dtype=np.int64) - planned,
            unloaded_us=self._demand.unloaded_us,
            meter_reads=np.asarray(self._meter_reads, dtype=np.int8),
            reaches_to=np.asarray(self._reaches_to, dtype=np.int64),
            patience_us=self._demand.patience_us,
        )
