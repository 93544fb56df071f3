"""``ami load`` at an SMT elsewhere, as a user runs it; and as a process among others."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from meters.calendar import day_of, fraction_s, to_s, to_us
from reports.commands.load import lines
from simulator.errors import SimulatorError
from simulator.load.alone import clock_at, part_of
from simulator.load.cast import cast
from simulator.load.player import LoadPlayer
from simulator.load.told import facts, standing
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.progress_file import read_progress
from simulator.smt.ondemand.middle import Middle
from simulator.smt.throttle.policy import preset
from simulator.world.callers import rights_of, write_rights
from simulator.world.meters import WorldSpec, build
from tests.simulator.load.rig import BEGIN, FIELDS, planned

DAY = day_of(BEGIN)


@asynccontextmanager
async def sandbox(out: Path, clock: Clock, asked: Callable[[], object] = lambda: None) -> AsyncIterator[Sandbox]:
    """Eight meters. asked: called when a request is taken on."""

    def middle(key: str) -> Middle:
        asked()
        return Middle(to_us(18), to_us(52))

    world = build(WorldSpec(first_day=DAY, meters=8, gateways=2), 3)
    settings = SandboxSettings(world, clock, preset("smt-today"), middle, out / "sandbox")
    async with Sandbox(settings) as running:
        write_rights(out / "callers.csv", rights_of(running.market, DAY))
        (out / "two-points.yaml").write_text(yaml.safe_dump(FIELDS), "utf-8")
        yield running


@asynccontextmanager
async def serving(running: Sandbox) -> AsyncIterator[None]:
    task = asyncio.create_task(running.runtime.serve())
    try:
        yield
    finally:
        task.cancel()


async def ami_load(running: Sandbox, out: Path, *more: str) -> asyncio.subprocess.Process:
    words = ("load", "two-points.yaml", "--smt", running.smt_server.url, "--callers", "callers.csv", "--hours", "16-17")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ami", *words, *more),
        cwd=out,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.process
@pytest.mark.long
async def test_a_load_is_played_to_its_end_on_the_clock_of_the_smt(tmp_path: Path) -> None:
    async with sandbox(tmp_path, Clock(ClockMode.SCALED, to_us(BEGIN), 1200.0)) as running, serving(running):
        process = await ami_load(running, tmp_path, "--limit", "12", "--json", "--progress", "progress.jsonl")
        stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr
    begun, *reached, ended = read_progress(tmp_path / "progress.jsonl")
    assert (begun["kind"], begun["name"], begun["smt"]) == ("load", "two-points", running.smt_server.url)
    assert ended == {"event": "ended", "error": ""}
    assert (reached[-1]["done"], reached[-1]["of"], reached[-1]["waiting"]) == (12, 12, 0)
    told = json.loads(stdout)
    assert (told["asked"], told["ended"]) == (12, 12)
    assert told["calls"] > 12
    everybody = told["groups"][-1]
    assert everybody["answered"]
    # An answer takes 70 s at least, and what kept the player from asking is in it.
    assert everybody["p50_s"] >= 70
    assert {name: reached[-1][name] for name in ("answered", "p50_s", "p95_s")} == {
        name: everybody[name] for name in ("answered", "p50_s", "p95_s")
    }


@pytest.mark.process
async def test_a_load_that_is_broken_off_tells_what_came_of_it(tmp_path: Path) -> None:
    came = asyncio.Event()
    async with sandbox(tmp_path, Clock(ClockMode.SCALED, to_us(BEGIN), 1.0), came.set) as running, serving(running):
        process = await ami_load(running, tmp_path)
        await came.wait()
        process.send_signal(signal.SIGTERM)
        stdout, stderr = await process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert stderr.startswith(b"load.interrupted: Stopped.")
    assert b"everybody" in stdout


async def test_a_load_is_a_process_among_others_and_gives_its_counts(tmp_path: Path) -> None:
    async with (
        sandbox(tmp_path, Clock(ClockMode.MANUAL, to_us(BEGIN))) as running,
        httpx.AsyncClient(base_url=running.smt_server.url, trust_env=False) as http,
    ):
        with pytest.raises(SimulatorError, match=r"clock\.mode: .*manual clock cannot be shared"):
            await asyncio.to_thread(clock_at, running.smt_server.url, None)
        given = cast(part_of(planned(), 0, "11", 12), list(rights_of(running.market, DAY)))
        player = LoadPlayer(running.runtime, [http], given)
        # Nobody has been asked yet: who should have come waits all the same, since when he should have come.
        planned_us = player.rows.planned_us.tolist()
        first, last = fraction_s(min(planned_us)), to_s(max(planned_us)) + 1
        await running.runtime.run_until(last)
        stands = standing(player)
        assert (stands["asked"], stands["answered"], stands["waiting"]) == (0, 0, 12)
        assert stands["longest_s"] == pytest.approx(last - first, abs=0.001)
        running.runtime.env.process(player.run())
        await running.runtime.run_until(BEGIN + 3 * 3600)
        assert (standing(player)["waiting"], standing(player)["longest_s"]) == (0, None)
        assert running.faults() == []
    told = json.loads(json.dumps(facts(player, 0.0)))
    assert (told["requests"], told["ended"], told["kept_pace"]) == (12, 12, True)
    text = "\n".join(lines(told | {"left_out": {"the portal has register reads alone": 3}, "kept_pace": False}))
    assert "two-points: 12 of 12 requests asked" in text
    assert "Left out: 3 requests, for the portal" in text
    assert "did not keep its pace" in text
