"""Allowances on PostgreSQL: 16 clients at two workers, and never one too many."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, select, text

from meters.calendar import epoch
from simulator.smt.database.engine import writing
from simulator.smt.database.tables import throttle_lease, throttle_window
from simulator.smt.throttle.admission import DatabaseAdmission
from simulator.smt.throttle.decision import Door, Kind, Lease, Policy, Refusal, Requested, Scope
from simulator.smt.throttle.policy import load_policy, preset
from tests.simulator.processes import Forked, ending, patience
from tests.simulator.smt.postgres import opened, turns_taken

NOON = epoch("2026-08-12T12:00")
#: ESI IDs that all clients want at once, and how often each asks for each.
ESIIDS, CLIENTS_EACH, WORKERS = 20, 8, 2


def asked(esiid: int) -> Requested:
    scopes = {
        Scope.ESIID: str(esiid),
        Scope.ROR: "r",
        Scope.REQUESTER_CLASS: "ror_bulk" if esiid % 2 else "ror_call_centre",
        Scope.TDSP: "t",
        Scope.ACCESS_POINT: str(esiid // 5),
    }
    return Requested(Kind.READ, Door.API, scopes)


def works(worker: int, url: str, policy: str, told: Connection) -> None:
    """Eight clients at once, in a process: tells that it is ready, waits to be let loose, and tells the requests that were let in."""

    def client(number: int) -> list[tuple[str, int]]:
        admitted = []
        for turn in range(ESIIDS):
            esiid = (turn + 3 * number) % ESIIDS
            key = f"{worker}-{number}-{turn}"
            lease = admission.reserve(key, asked(esiid), NOON + turn)
            if isinstance(lease, Lease):
                admitted.append((key, esiid))
                # Every third fails, and its allowance comes back.
                admission.settle(key, lease, NOON + turn + 60, turn % 3 != 0)
        return admitted

    with opened(url) as engine, ThreadPoolExecutor(CLIENTS_EACH) as pool:
        admission = DatabaseAdmission(engine, load_policy(policy))
        told.send("ready")
        told.recv()
        told.send([one for many in pool.map(client, range(CLIENTS_EACH)) for one in many])


def raced(url: str, policy: str) -> list[tuple[str, int]]:
    """Two workers of eight clients each let loose at once; the requests that were let in."""
    with opened(url):
        pass
    pipes = [Pipe() for _ in range(WORKERS)]
    workers = [Forked(works, number, url, policy, there) for number, (_, there) in enumerate(pipes)]
    with ending(*workers):
        for here, there in pipes:
            there.close()
            assert here.recv() == "ready"
        for here, _ in pipes:
            here.send("go")
        outs = [here.recv() for here, _ in pipes]
    return [one for out in outs for one in out]


def used_up(engine: Engine, policy: Policy, esiids: Sequence[int]) -> None:
    """Afterwards one client takes what is left: what a race refused while it was held, and then failed, is not lost."""
    admission = DatabaseAdmission(engine, policy)
    for esiid in esiids:
        for turn in itertools.count():
            key = f"left-{esiid}-{turn}"
            lease = admission.reserve(key, asked(esiid), NOON + 3000)
            if isinstance(lease, Refusal):
                break
            admission.settle(key, lease, NOON + 3060, True)


@pytest.mark.parametrize("policy", ["fr-cr016-1", "n-per-day:amount=3"])
def test_16_clients_at_two_workers_never_use_one_too_many(policy: str, postgres_url: str) -> None:
    admitted = raced(postgres_url, policy)
    limit = preset(policy).limits[0]
    with opened(postgres_url) as engine:
        with engine.connect() as connection:
            leases = connection.execute(select(throttle_lease)).all()
        assert sorted(key for key, _ in admitted) == sorted(lease.request_key for lease in leases)
        for esiid in range(ESIIDS):
            assert sum(lease.success and lease.scope_value == str(esiid) for lease in leases) <= limit.amount
        used_up(engine, preset(policy), range(ESIIDS))
        with engine.connect() as connection:
            windows = connection.execute(select(throttle_window)).all()
    assert {window.scope_value: (window.used, window.held) for window in windows} == {
        str(esiid): (limit.amount, 0) for esiid in range(ESIIDS)
    }


def test_what_all_share_is_not_overdrawn_either(postgres_url: str, tmp_path: Path) -> None:
    path = tmp_path / "shared.yaml"
    path.write_text(
        """title: a small cap with a reserve
limits:
  - {name: CAP, scope: tdsp, amount: 50, window: day, code: CAP, rule: Fifty a day.,
     reserve: {amount: 20, classes: [ror_call_centre]}}
""",
        encoding="utf-8",
    )
    raced(postgres_url, str(path))
    with opened(postgres_url) as engine:
        used_up(engine, load_policy(str(path)), [1, 0])
        with engine.connect() as connection:
            windows = {row.limit_name: row for row in connection.execute(select(throttle_window))}
    assert (windows["CAP"].used, windows["CAP"].held) == (50, 0)
    assert windows["CAP/others"].used <= 30
    assert windows["CAP/others"].held == 0


@pytest.mark.parametrize(("policy", "shared"), [("fr-cr016-1", 0), ("smt-today-3000", 1)])
def test_turns_are_taken_with_those_who_share_a_limit_and_no_others(
    policy: str, shared: int, postgres_url: str
) -> None:
    with opened(postgres_url) as engine:
        admission = DatabaseAdmission(engine, preset(policy))
        with turns_taken(engine) as one:
            admission.reserve("a", asked(1), NOON)
        with turns_taken(engine) as other:
            admission.reserve("b", asked(2), NOON)
    assert (len(one), len(other), len({*one} & {*other})) == (1 + shared, 1 + shared, shared)


def waiting(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")) or 0


@pytest.mark.parametrize("shared", ["fr-cr016-1", "smt-today-3000"])
def test_only_who_shares_a_limit_waits(shared: str, postgres_url: str) -> None:
    with opened(postgres_url) as engine, ThreadPoolExecutor(2) as pool:
        admission = DatabaseAdmission(engine, preset(shared))
        with writing(engine):
            assert isinstance(admission.reserve("a", asked(1), NOON), Lease)
            beside = pool.submit(admission.reserve, "b", asked(2), NOON)
            if shared == "fr-cr016-1":
                # Another ESI ID's is decided while this one is not committed.
                assert isinstance(beside.result(patience()), Lease)
            again = pool.submit(admission.reserve, "c", asked(1), NOON)
            deadline = time.monotonic() + patience()
            while waiting(engine) < (1 if shared == "fr-cr016-1" else 2):
                assert time.monotonic() < deadline
        assert isinstance(beside.result(patience()), Lease)
        assert isinstance(again.result(patience()), Refusal) is (shared == "fr-cr016-1")


def test_who_has_waited_sees_what_was_committed_whatever_the_servers_default(postgres_url: str) -> None:
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = make_url(postgres_url).database
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_isolation TO 'repeatable read'"))
    engine.dispose()
    with opened(postgres_url) as engine, engine.connect() as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "read committed"


def test_the_octets_of_a_budget_may_be_many(postgres_url: str) -> None:
    with opened(postgres_url) as engine:
        admission = DatabaseAdmission(engine, preset("bandwidth-budget"))
        lease = admission.reserve("a", asked(1), NOON)
        assert isinstance(lease, Lease)
        admission.settle("a", lease, NOON + 60, True, 5_000_000_000)
        refused = admission.reserve("b", asked(1), NOON + 61)
    assert isinstance(refused, Refusal)
    assert refused.retry_at == NOON + 3600
