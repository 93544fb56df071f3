"""What every process of one SMT knows of complaints, log-ins and tokens, and what a restart keeps of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from meters.calendar import to_us
from simulator.smt.database.seat import Role
from simulator.smt.registry.log_in import LoginLimits
from tests.simulator.processes import patience
from tests.simulator.smt import crash_smt
from tests.simulator.smt.crash_play import BEGUN, running
from tests.simulator.smt.rig import PASSWORD, PLAIN

AUTHENTICATE, LATEST = "/commonapi/user/authenticate", "/api/usage/latestodrread"
Workers = tuple[httpx.Client, httpx.Client]


@pytest.fixture(scope="module")
def workers(new_database: Callable[[], str]) -> Iterator[Workers]:
    """Two that share a database; nobody runs the on-demand processes."""
    start = crash_smt.Start(new_database(), 0, "http://127.0.0.1:9", to_us(BEGUN), time.time(), 1.0, role=Role.WORKER)
    with (
        running(start) as (_, one),
        running(start) as (_, other),
        httpx.Client(base_url=f"http://127.0.0.1:{one}", timeout=10, trust_env=False) as first,
        httpx.Client(base_url=f"http://127.0.0.1:{other}", timeout=10, trust_env=False) as second,
    ):
        yield first, second


def logged_in(worker: httpx.Client, password: str = PASSWORD, username: str = "customer") -> httpx.Response:
    return worker.post(AUTHENTICATE, json={"username": username, "password": password})


def until(worker: httpx.Client, status: int, path: str = "/v2/token/") -> None:
    """Call until the answer is of that status; the calls before were of another."""
    deadline = time.monotonic() + patience()
    while worker.post(path, json={}).status_code != status:
        assert time.monotonic() < deadline


def raced(workers: Workers, called: Callable[[httpx.Client], int], each: int) -> Counter[int]:
    """Statuses of as many calls at both workers, four at a time at each."""
    with ThreadPoolExecutor(8) as pool:
        return Counter(pool.map(called, [worker for _ in range(each) for worker in workers]))


def test_a_complaint_strikes_as_often_as_it_says_over_all_workers(workers: Workers) -> None:
    first, second = workers
    asked = {"kind": "text_503", "paths": ["/v2/token"], "times": 25}
    ident = first.post("/control/complaints", json=asked).json()["id"]
    assert first.post("/v2/token/", json={}).status_code == 503
    until(second, 503)
    statuses = raced(workers, lambda worker: worker.post("/v2/token/", json={}).status_code, 30)
    assert statuses[503] == 23
    for worker in workers:
        (listed,) = worker.get("/control/complaints").json()["complaints"]
        assert (listed["id"], listed["strikes"], listed["active"]) == (ident, 25, False)
    assert second.delete(f"/control/complaints/{ident}").json()["strikes"] == 25
    assert first.delete(f"/control/complaints/{ident}").status_code == 404


def test_a_lifted_complaint_strikes_at_no_worker_any_more(workers: Workers) -> None:
    first, second = workers
    ident = second.post("/control/complaints", json={"kind": "access_denied", "paths": ["/v2/token"]}).json()["id"]
    until(first, 403)
    assert second.delete(f"/control/complaints/{ident}").status_code == 200
    assert first.post("/v2/token/", json={}).status_code != 403
    assert first.get("/control/complaints").json() == {"complaints": []}


def test_guesses_at_all_workers_at_once_are_not_one_more_than_a_block_allows(workers: Workers) -> None:
    limits, began = LoginLimits(), time.monotonic()
    guesses = raced(workers, lambda worker: logged_in(worker, "a guess", "rival.api").status_code, 10)
    own = [logged_in(worker, username="rival.api").status_code for worker in workers]
    took = time.monotonic() - began
    # A machine that is slow enough comes to the end of a block, and of the next, which is twice as long.
    ended = sum(end <= took for end in accumulate(limits.wait_s(bad) for bad in range(limits.free, 20)))
    assert limits.free <= guesses[400] <= limits.free + ended
    assert guesses[403] == 20 - guesses[400]
    assert ended or own == [403, 403]


def test_a_portal_token_of_one_worker_is_good_at_the_other(workers: Workers) -> None:
    first, second = workers
    headers = {"authorization": f"Bearer {logged_in(first).json()['token']}"}
    assert second.post(LATEST, json={"ESIID": PLAIN}, headers=headers).status_code == 200
    assert first.post(LATEST, json={"ESIID": PLAIN}, headers=headers).status_code == 200


def away(*_: object) -> None:
    raise OperationalError("SELECT", {}, Exception("away"))
