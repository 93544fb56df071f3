"""Ctrl-C at any moment of a certification leaves a bundle that is judged, whole, and of nothing but what a verdict rests on."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scenarios.certify.bundle import judged_again, verified
from scenarios.certify.judged import result_of
from scenarios.certify.observed import RECORDING
from scenarios.certify.run import Certification
from scenarios.recording import WIRE
from simulator.verdicts import Mark
from tests.scenarios.certify.matrix import statement
from tests.simulator.parties.support import eventually
from tests.simulator.processes import Process, ending, line, ran, started

#: Begins nothing, and takes no notice of a polite end.
DEAF = ["{python}", "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"]


def while_it_runs(process: Process, holds: Callable[[], bool]) -> None:
    """Wait for something that a process does; one that has ended says why."""
    eventually(lambda: process.poll() is not None or holds())
    assert process.stderr is not None
    assert process.poll() is None, process.stderr.read()


def until_it_connects(process: Process, out: Path) -> None:
    while_it_runs(process, lambda: (out / "sut.log").is_file())


def until_it_waits(process: Process, out: Path) -> None:
    assert json.loads(line(process))["event"] == "ready"


def until_it_plays(process: Process, out: Path) -> None:
    while_it_runs(process, lambda: any((out / "steps").glob(f"*/{WIRE}")))


def until_it_has_played_one(process: Process, out: Path) -> None:
    while_it_runs(process, lambda: any((out / "steps").glob(f"*/{RECORDING}")))


def stopped(out: Path) -> dict[str, Any]:
    """The verdict that was left: the bundle is whole, and nothing is in it that was in the way."""
    told = judged_again(out / "bundle.zip")
    assert "judged again" in verified(out / "bundle.zip", None)
    steps = {one.name for one in (out / "steps").glob("*/*")}
    assert steps <= {RECORDING, WIRE}
    assert not (out / "keys.json").exists()
    return told


@pytest.mark.process
@pytest.mark.parametrize(
    ("role", "said", "until"),
    [
        ("headend", {"start": {"argv": DEAF, "ready_s": 300}}, until_it_connects),
        ("headend", {"start": "manual"}, until_it_waits),
        ("headend", {}, until_it_plays),
        ("headend", {}, until_it_has_played_one),
        ("ror", {"start": {"argv": DEAF, "each": "step"}}, until_it_plays),
        ("ror", {"clock": {"speed": 1}}, until_it_plays),
    ],
)
def test_ctrl_c_leaves_a_bundle_that_is_judged(
    tmp_path: Path, role: str, said: dict[str, Any], until: Callable[[Process, Path], None]
) -> None:
    out, written = tmp_path / "out", tmp_path / "sut.yaml"
    written.write_text(statement(role, **said), "utf-8")
    process = started("certify", "run", "--statement", str(written), "--out", str(out), "--json")
    with ending(process):
        until(process, out)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 128 + signal.SIGINT
        assert process.stderr is not None
        assert process.stderr.read() == "Stopped: what was played is judged.\n"
    told = stopped(out)
    assert (told["certificate"], told["mark"]) == (False, Mark.INCONCLUSIVE)
    assert "the run was broken off" in json.dumps(told["steps"])
    if until is until_it_has_played_one:
        assert "whole" in [one["state"] for one in told["steps"]]


@pytest.mark.process
def test_a_second_ctrl_c_leaves_no_key_and_nothing_that_runs(tmp_path: Path) -> None:
    out, written = tmp_path / "out", tmp_path / "sut.yaml"
    deaf = [*DEAF[:2], f"import os; print(os.getpid(), flush=True); {DEAF[2]}"]
    written.write_text(statement("ror", start={"argv": deaf, "each": "step"}), "utf-8")
    process = started("certify", "run", "--statement", str(written), "--out", str(out), "--json")
    with ending(process):
        while_it_runs(
            process, lambda: (out / "sut.log").is_file() and (out / "sut.log").read_text("utf-8").endswith("\n")
        )
        child = Path("/proc", (out / "sut.log").read_text("utf-8").split()[0])
        assert child.exists()
        assert (out / "keys.json").exists()
        process.send_signal(signal.SIGINT)
        # It is deaf, and waited for.
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    eventually(lambda: not child.exists() or "(zombie)" in (child / "status").read_text("utf-8"))
    assert not (out / "keys.json").exists()
    assert not (out / "work").exists()
    assert {one.name for one in (out / "steps").glob("*/*")} <= {RECORDING, WIRE}


@pytest.mark.process
@pytest.mark.parametrize("moment", ["writes", "judges"])
def test_ctrl_c_while_it_is_judged_is_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    out, written = tmp_path / "out", tmp_path / "sut.yaml"
    written.write_text(statement("headend"), "utf-8")
    writes, judges, calls = Certification._write, result_of, iter(range(9))

    def write(*words: Any) -> Any:
        if next(calls):
            signal.raise_signal(signal.SIGINT)
        return writes(*words)

    def judge(*words: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return judges(*words)

    if moment == "writes":
        monkeypatch.setattr(Certification, "_write", write)
    else:
        monkeypatch.setattr("scenarios.certify.bundle.result_of", judge)
    assert ran("certify", "run", "--statement", str(written), "--out", str(out), "--only", "HE-DST-SPRING") == 1
    marks = {one["id"]: one["mark"] for one in json.loads((out / "result.json").read_text("utf-8"))["ids"]}
    assert marks["HE-DST-SPRING"] == Mark.PASSED
    monkeypatch.undo()
    assert {one["id"]: one["mark"] for one in stopped(out)["ids"]} == marks
