"""A retailer as a party: its desk answers as the use case does in a scenario, and what it is told wrongly or has lost is said."""

from __future__ import annotations

import json
import socket
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from meters.calendar import day_of, day_start, epoch, to_us
from meters.errors import UserError
from scenarios.actions.market.balance_call import BalanceCall
from scenarios.file.refusals import policy_of
from scenarios.file.schema import Scenario
from scenarios.run import JudgedRun
from scenarios.running.runner import middle_of
from simulator.commands.serve import ror_serve
from simulator.parties.made_accounts import PLANS, made_accounts
from simulator.parties.ror import AGENT
from simulator.parties.sandbox import CALLS, DeskSettings, Sandbox, SandboxSettings
from simulator.ror.account import balance
from simulator.ror.accounts.book import AccountBook, Customer
from simulator.ror.accounts.written import AccountEntry, PlanSince
from simulator.ror.billing.plan import shipped_plan
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.usage.billing_periods import billing_periods
from simulator.world.market import ROR_LOGIN, build_market
from simulator.world.market_spec import OTHER_ROR_DUNS
from simulator.world.meters import World, build, default_world
from tests.scenarios.short import scenario, short_balance
from tests.simulator.parties.support import eventually
from tests.simulator.processes import ROOT, patience, serving

CALL = epoch("2026-08-12T17:40")
ACCOUNTS = ROOT / "docs" / "accounts"


def customer_of(played: Scenario, world: World, esiid: str = "", account_id: str = "") -> Customer:
    """A scenario's account as a folder would have it; or the like of it, at another ESI ID."""
    account = played.account.account(world)
    entry = AccountEntry(
        account_id=account_id or account.account_id,
        customer_name=account.customer_name,
        esiid=esiid or account.esiid,
        cycle="07",
        plans=(PlanSince(plan=account.plan, since=account.cycle_first),),
        multiplier=account.multiplier,
    )
    bills = () if account.last_bill is None else (account.last_bill,)
    days = account.cycle_first, account.cycle_last + timedelta(days=1)
    return Customer(entry, days, (shipped_plan(account.plan),), bills, account.payments)


async def test_a_call_at_the_desk_is_answered_as_in_a_scenario_of_the_same_world(
    tmp_path: Path, balance_run: JudgedRun
) -> None:
    recorded = json.loads((balance_run.out / "recording.json").read_text("utf-8"))["actions"]
    played = scenario(short_balance())
    first = next(one for one in played.timeline if one.do == "balance_call")
    world = build(played.world, played.seed)
    foreign = customer_of(played, world, world.esiid(world.spec.meters), "A-9")
    settings = SandboxSettings(
        world=world,
        clock=Clock(ClockMode.MANUAL, to_us(day_start(played.world.first_day))),
        policy=policy_of(played),
        middle=middle_of(played),
        out=tmp_path,
        sweep_every_h=played.sweep_every_h,
        vee=played.preset,
        times=played.times,
        desk=DeskSettings(AccountBook([customer_of(played, world), foreign])),
    )
    async with Sandbox(settings) as sandbox:
        assert sandbox.ror is not None
        auth = (AGENT.username, AGENT.password)
        async with httpx.AsyncClient(base_url=sandbox.ror.server.url, auth=auth, trust_env=False) as http:
            await sandbox.runtime.run_until(epoch(first.at))
            assert isinstance(first, BalanceCall)
            asked = {"esiid": world.esiid(1), "question": first.question, "patience_s": first.patience_s}
            taken = await http.post("/calls", json=asked)
            other = await http.post("/calls", json={"account_id": "A-9"})
            assert [one.json()["id"] for one in (taken, other)] == [first.ref, "call-0002"]
            await sandbox.runtime.run_until(epoch(first.at) + 1200)
            told = (await http.get(f"/calls/{first.ref}")).json()
            assert told["answer"] == recorded[first.ref]
            # Another retailer's ESI ID, whatever the accounts say, is none that SMT tells of.
            refused = (await http.get("/calls/call-0002")).json()
            assert refused["answer"]["trouble"]["code"] == "smt.AC1"
            assert refused["satisfied"]["verdict"] is False
            await sandbox.runtime.run_until(epoch("2026-08-13T12:00"))
            again = (await http.get(f"/calls/{first.ref}")).json()["rebill"]
            assert again["vee_usd"] == recorded["rebill-0001"]["vee_usd"]
            assert again["satisfied"] is True
        ready = sandbox.ready()
        assert ready["ror_url"] == sandbox.ror.server.url
        assert ready["logins"]["desk"] == {"username": AGENT.username, "password": AGENT.password}
        assert sandbox.faults() == []
    assert len((tmp_path / CALLS).read_text("utf-8").splitlines()) == 4


def test_a_made_account_is_of_each_esi_id_of_the_retailer_and_reads_as_smt_bills() -> None:
    today = day_of(CALL)
    market = build_market(build(default_world(today, today - timedelta(days=1), 12, 4), 3, CALL))
    registry = market.registry
    book = made_accounts(registry, ROR_LOGIN.duns, CALL)
    own = [esiid for esiid in registry.points if registry.ror_of_record(esiid, today) == ROR_LOGIN.duns]
    assert [one.entry.esiid for one in book] == own
    assert {one.entry.esiid for one in made_accounts(registry, OTHER_ROR_DUNS, CALL)}.isdisjoint(own)
    owed = []
    for customer in book:
        account, plan = customer.at(CALL)
        read_day = registry.points[account.esiid].read_day
        periods = billing_periods(read_day, (), today, today + timedelta(days=35))
        assert (account.cycle_first, account.cycle_last + timedelta(days=1)) == periods[0]
        assert account.plan in PLANS
        assert plan.tdu == shipped_plan(PLANS[0]).tdu
        assert account.last_bill is not None
        owed.append(balance(account, CALL).amount_due > 0)
    assert {True, False} == set(owed)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"accounts": None}, "ror.accounts: --accounts"),
        ({"accounts": Path("/nowhere")}, "ror.accounts.unreadable: /nowhere/accounts.yaml"),
        ({"smt": ""}, "ror.smt: --smt: It is not told how to ask SMT."),
        ({"smt": "ftp://x"}, "ror.smt: --smt: "),
        ({"login": "nobody"}, "ror.login: --login"),
        ({"login": "", "duns": ""}, "ror.smt: --login, --duns"),
        ({"agent": "desk"}, "ror.login: --agent"),
        ({"host": "0.0.0.0"}, "ror.agent: --agent"),
        ({"ca": Path("no.pem")}, "ror.ca_file: --ca no.pem"),
        ({"smt_of": Path("none.json")}, "ready.unreadable: --smt-of none.json"),
    ],
)
def test_what_a_retailer_lacks_is_told_with_the_option(tmp_path: Path, asked: dict[str, Any], said: str) -> None:
    whole = {"accounts": ACCOUNTS, "smt": "http://127.0.0.1:9", "login": "a:b", "duns": "999000111", "port": 0}
    with pytest.raises(UserError) as caught:
        ror_serve(**whole | {"out": tmp_path / "out"} | asked)
    assert str(caught.value).startswith(said)
    assert caught.value.mend


@pytest.mark.process
def test_without_an_smt_the_books_are_told_and_a_call_that_a_kill_interrupts_is_said_to_be_lost(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = (
            *("ror", "serve", "--json", "--accounts", str(ACCOUNTS), "--port", "0", "--out", str(tmp_path)),
            *("--login", "a:b", "--duns", "999000111", "--clock", "real", "--date", "2026-08-12T17:40"),
            *("--wall-start", str(int(time.time()))),
        )

        def asked(url: str, path: str, **sent: Any) -> dict[str, Any]:
            auth = (AGENT.username, AGENT.password)
            reply = httpx.request(
                "POST" if sent else "GET", url + path, auth=auth, trust_env=False, timeout=patience(), **sent
            )
            told: dict[str, Any] = reply.json()
            return told

        # Nobody listens at port 9; at the other one nobody answers.
        with serving(*words, "--smt", "http://127.0.0.1:9", fresh=True) as (_, ready):
            url = ready["ror_url"]
            call_id = asked(url, "/calls", json={"account_id": "PB-1001"})["id"]
            eventually(lambda: asked(url, f"/calls/{call_id}")["state"] == "told")
            assert asked(url, f"/calls/{call_id}")["answer"]["trouble"]["code"] == "smt.unreachable"
            assert asked(url, "/healthz")["smt"] == "unreachable"
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with serving(*words, "--smt", address) as (process, ready):
            lost = asked(ready["ror_url"], "/calls", json={"esiid": "10443729947992279"})["id"]
            process.kill()
            process.wait(patience())
        with serving(*words, "--smt", address) as (_, ready):
            assert ready["lost_calls"] == [lost] == ["call-0002"]
            told = asked(ready["ror_url"], f"/calls/{lost}")
            assert (told["state"], told["satisfied"]["verdict"]) == ("lost", False)
            assert asked(ready["ror_url"], f"/calls/{call_id}")["state"] == "told"
