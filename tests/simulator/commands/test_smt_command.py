"""``ami smt serve --role``: a dispatcher and a worker as two processes at one database and one folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from simulator.parties.serve.smt import _lines
from simulator.parties.smt import AloneSettings
from simulator.smt.database.engine import writing
from simulator.smt.database.seat import Role
from simulator.smt.database.tables import dispatcher_terms
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.party import SmtConfig
from simulator.smt.throttle.policy import preset
from tests.simulator.parties.support import Retailer
from tests.simulator.processes import fails, serving
from tests.simulator.smt.postgres import opened
from tests.simulator.smt.rig import registry

SMT = ("smt", "serve", "--json", "--port", "0", "--count", "4", "--no-special")


def test_a_worker_takes_on_what_the_dispatcher_ends(new_database: Callable[[], str], tmp_path: Path) -> None:
    url = new_database()
    shared = (*SMT, "--database", url, "--out", str(tmp_path / "smt"))
    clock = ("--clock", "scaled", "--speed", "60", "--date", "2026-08-12T17:40", "--middle", "1,1")
    log = tmp_path / "log.jsonl"
    with serving(*shared, "--role", "dispatcher", "--ftps-port", "0", *clock) as (_, first):
        (tmp_path / "smt.json").write_text(json.dumps(first))
        worker = (*shared, "--role", "worker", "--clock-of", str(tmp_path / "smt.json"), "--log", str(log))
        with serving(*worker) as (_, second):
            assert "ftps" not in second
            assert (second["ca_file"], second["clock"]["epoch"]) == (first["ca_file"], first["clock"]["epoch"])
            retailer = Retailer(second["smt_url"])
            ended = retailer.ended(retailer.ask(first["esiids"][0]["esiid"], "REGISTER"))
            assert ended.statusReason == "FAILED: no head-end is linked for this TDSP"
            assert httpx.get(f"{second['smt_url']}/healthz", trust_env=False).status_code == 200
            # A dispatcher after this one may work by another policy: a worker that runs says so.
            with opened(url) as engine, writing(engine) as connection:
                policy = update(dispatcher_terms).where(dispatcher_terms.c.name == "policy")
                connection.execute(policy.values(value="0", told="another one"))
            health = httpx.get(f"{second['smt_url']}/healthz", trust_env=False)
            assert (health.status_code, health.json()["dispatcher"]) == (503, "alive")
            assert health.json()["reason"].startswith("smt.workers.policy: --policy: ")
        # And one that starts now is refused.
        assert fails(*worker).startswith(
            "smt.workers.policy: --policy: The dispatcher works by another policy: another one; this"
        )
        assert "request accepted" in {json.loads(line)["event"] for line in log.read_text().splitlines()}


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (Role.ALONE, "no head-end is linked: on-demand requests fail (--headend)"),
        (Role.DISPATCHER, "no head-end is linked: on-demand requests fail (--headend)"),
        (Role.WORKER, "on-demand requests are sent by the dispatcher"),
    ],
)
def test_who_sends_on_demand_requests_is_told_at_the_start(tmp_path: Path, role: Role, said: str) -> None:
    config = SmtConfig(1, preset("smt-today"), "", role=role)
    settings = AloneSettings(config, registry(), FixedMiddle(1, 1), tmp_path)
    ready = {
        "smt_url": "",
        "policy": "smt-today",
        "clock": {"mode": "real", "now": ""},
        "keys_file": "",
        "middle": "law",
    }
    lines = [line.strip() for line in _lines(settings, ready) if "on-demand" in line]
    assert lines == [said]
