"""A kernel that several processes need at once is compiled by one of them; who is killed over it, or never ends, keeps nobody waiting for good."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import pytest

from meters.kernels import machine
from meters.kernels.jit import as_written

_KERNEL = """
from meters.kernels.jit import kernel

@kernel
def twice(number):
    return 2 * number
"""
#: Compiles the kernel, and keeps it when it is told to.
_OTHER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import doubled
keep = doubled.twice._cache.save_overload
def told(*of):
    print("compiled", flush=True)
    sys.stdin.readline()
    keep(*of)
doubled.twice._cache.save_overload = told
doubled.twice(1)
"""
Other = subprocess.Popen[str]


@pytest.fixture
def twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A kernel that is not on the disk."""
    (tmp_path / "doubled.py").write_text(_KERNEL)
    spec = importlib.util.spec_from_file_location("doubled", tmp_path / "doubled.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # What is kept names the module that it is of.
    monkeypatch.setitem(sys.modules, "doubled", module)
    spec.loader.exec_module(module)
    return module.twice


@pytest.fixture
def other(tmp_path: Path, twice: Any) -> Iterator[Other]:
    """Another process, which has compiled the kernel and not kept it yet."""
    command = [sys.executable, "-c", _OTHER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "compiled\n"
        yield process
        process.kill()


def _made_and_found(twice: Any, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> tuple[int, int]:
    """How often this process compiled the kernel, and found it, if that happens while it waits."""
    waits: list[float] = []

    def looked(span_s: float) -> None:
        waits.append(span_s)
        meanwhile()

    monkeypatch.setattr("meters.kernels.machine.sleep", looked)
    assert twice(2) == 4
    assert waits[1:] == []
    return sum(twice.stats.cache_misses.values()), sum(twice.stats.cache_hits.values())


@pytest.mark.process
def test_what_another_process_compiles_is_waited_for(twice: Any, other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _made_and_found(twice, monkeypatch, lambda: other.communicate("keep it\n", timeout=60)) == (0, 1)
    assert other.returncode == 0


@pytest.mark.process
def test_what_a_killed_process_compiled_is_compiled_again(
    twice: Any, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed() -> None:
        other.kill()
        other.wait(60)

    assert _made_and_found(twice, monkeypatch, killed) == (1, 0)


@pytest.mark.process
def test_nobody_is_waited_for_without_end(twice: Any, other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PATIENCE_S", 0.0)
    assert _made_and_found(twice, monkeypatch, lambda: None) == (1, 0)
    assert other.poll() is None


def test_a_folder_that_takes_no_lock_is_no_hindrance(twice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_folder: str) -> int:
        raise OSError

    monkeypatch.setattr(machine, "_opened", full)
    assert _made_and_found(twice, monkeypatch, lambda: None) == (1, 0)


def test_a_kernel_runs_as_it_is_written_without_numba_and_is_compiled_when_it_is_called_otherwise(twice: Any) -> None:
    with as_written():
        assert twice(2) == 4
    assert "_compiled" not in vars(twice)
    assert twice(2) == 4
    assert twice.signatures


@pytest.mark.process
def test_who_calls_no_kernel_has_no_numba() -> None:
    code = "import sys, simulator.ror.billing.bill, headend.vee.batch, meters.fleet; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_where_numba_is_told_to_compile_nothing_a_kernel_is_what_is_written(
    twice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    assert machine.compiled(twice.__wrapped__, {}) is twice.__wrapped__
    assert twice(2) == 4
    assert not hasattr(twice, "signatures")
