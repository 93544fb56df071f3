"""What is ours is inconclusive: a reply that is late, a process that ended, octets that the tap has not, a clock that was not kept; never failed, never passed."""

from __future__ import annotations

import errno
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from headend.ondemand.desk import OnDemandDesk
from scenarios.certify import run
from scenarios.certify.started import free_ports
from scenarios.running import runner
from simulator.runtime import lag
from simulator.tap.chain import slow_or_cut
from simulator.tap.log import Wire
from simulator.verdicts import Mark
from tests.cases import few
from tests.scenarios.certify.matrix import certified
from tests.simulator.tap.written import log_at

#: One step is played for it.
ONLY = ("text_503",)
Patch = Callable[[pytest.MonkeyPatch], None]


def _ends(_desk: OnDemandDesk, _request: Any, **_how: Any) -> Iterator[Any]:
    raise ZeroDivisionError
    yield


def _full(patched: pytest.MonkeyPatch) -> None:
    written = os.write
    left = iter(range(2))

    def write(file: int, octets: bytes) -> int:
        if octets.startswith(b'{"n":') and next(left, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(file, octets)

    patched.setattr(os, "write", write)


def _broken(*_: Any) -> NoReturn:
    raise ZeroDivisionError


CAUSES: dict[str, tuple[Patch, str]] = {
    "a reply of ours is late": (lambda it: it.setattr(run, "REPLY_S", 0.0), r"Our reply of exchange \d+ \(\w+\) took \d\.\d s, over 0 s\."),
    "a process of ours ended": (lambda it: it.setattr(OnDemandDesk, "serve", _ends), "ended by a fault of ami-testbed's own: TDSP .*ZeroDivisionError"),
    "a run of ours ended": (lambda it: it.setattr(run, "run", _broken), "A fault of ours ended it: ZeroDivisionError"),
    "the tap cannot write": (_full, "No space left on device"),
    "a body is too long for the tap": (lambda it: it.setattr(runner, "CITED_BODY", 64), r"The tap has not every octet of exchange \d+ \(\w+\)"),
}  # fmt: skip


def text_503(result: dict[str, Any]) -> dict[str, Any]:
    (found,) = (one for one in result["ids"] if one["id"] in ONLY)
    return dict(found)


@pytest.mark.process
@pytest.mark.parametrize(
    ("cause", "mutant"),
    # A retailer that gives up asks for no read, and no process is there to end.
    few(
        4,
        [
            *((cause, "") for cause in CAUSES),
            *((cause, "GIVES-UP-AT-503") for cause in CAUSES if "process" not in cause),
        ],
    ),
)
def test_what_rests_on_a_step_with_a_fault_of_ours_is_inconclusive_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: str, mutant: str
) -> None:
    patch, said = CAUSES[cause]
    patch(monkeypatch)
    result = certified("ror", tmp_path / "out", mutant, only=ONLY)
    found = text_503(result)
    assert found["mark"] == Mark.INCONCLUSIVE
    assert found["exchanges"] == []
    assert re.search(f"pages: .*{said}", found["said"]), found["said"]
    assert (result["certificate"], result["mark"]) == (False, Mark.INCONCLUSIVE)


@pytest.mark.process
@pytest.mark.parametrize(("lag_s", "mark"), [(3600.0, Mark.PASSED), (-1.0, Mark.INCONCLUSIVE)])
def test_a_clock_that_runs_is_kept_or_what_was_played_is_inconclusive_with_the_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lag_s: float, mark: Mark
) -> None:
    # Something is always late by a little, and on a busy machine by more.
    monkeypatch.setattr(lag, "LAG_S", lag_s)
    monkeypatch.setattr(run, "RUNNING_REPLY_S", 3600.0)
    found = text_503(certified("ror", tmp_path / "out", only=ONLY, clock={"speed": 30}))
    assert found["mark"] == mark, found["said"]
    if mark is Mark.INCONCLUSIVE:
        assert "The clock was not kept: CLOCK: 0." in found["said"]
        assert "s of wall time behind the clock" in found["said"]


def test_an_exchange_is_late_when_it_took_longer_than_its_budget_and_not_when_it_took_as_long(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    wire = log_at(path)
    wire.note(
        Wire("market", "ROR", "SMT"),
        wire.begin()._replace(wall=time.perf_counter() - 2.0),
        '"ids":{},"ask":{},"reply":{}',
    )
    wire.close()
    (found,) = slow_or_cut(path, 0.0)
    assert (found.n, found.wire, found.cut) == (1, "market", False)
    assert list(slow_or_cut(path, found.ms)) == []
    assert [one.n for one in slow_or_cut(path, found.ms - 0.1)] == [1]


def test_a_body_that_was_not_kept_is_told_however_quick_its_exchange_was(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    wire = log_at(path)
    kept = r'"ids":{},"ask":{"body":"{\"body\":{\"octets\":7}}"},"reply":{}'
    lost = '"ids":{},"ask":{},"reply":{"body":{"octets":7,"sha256":"0"}}'
    for what in (kept, lost):
        wire.note(Wire("market", "ROR", "SMT"), wire.begin(), what)
    wire.close()
    assert [(one.n, one.cut) for one in slow_or_cut(path, 60_000)] == [(2, True)]


def test_two_certifications_at_once_have_each_their_ports() -> None:
    with free_ports((0, 7)) as one, free_ports((0, 7)) as other:
        assert other != one
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", one + 7))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", one + 7))
        with free_ports((0, 7)) as base:
            assert base != one
