"""Who may call an inquiry's result back: what a stranger tried, and a head-end with another's key, each refused without effect."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from headend.http.links import LinkKeys, bearing
from headend.wire import InquiryResult
from meters.calendar import iso
from simulator.smt.ondemand.inquiries import CALL_BACKS, CallBack, Inquiries
from simulator.smt.ondemand.ledger import Entry, Ledger
from simulator.smt.ondemand.lifecycle import State
from tests.simulator.smt.rig import KEYS, PLAIN, Rig

OTHERS = LinkKeys(*(f"another-{key}" for key in astuple(KEYS)))


JSON = {"content-type": "application/json"}


def answer(rig: Rig, key: str) -> dict[str, Any]:
    """A read that would complete a request."""
    register = {"wh": 23_459_133, "at": iso(rig.runtime.now())}
    return {"correlationId": key, "outcome": "completed", "meterReads": 1, "octets": 500, "register": register}


@pytest.fixture
async def smt(tmp_path: Path) -> AsyncIterator[Rig]:
    """SMT before two TDSPs, the first of which never answers."""
    async with Rig(tmp_path, keys={"coastal": KEYS, "inland": OTHERS}) as rig:
        rig.head_end.times = 0
        yield rig


def entry_of(rig: Rig, key: str) -> Entry:
    rig.smt.ledger.forget(key)
    found = rig.smt.ledger.entry(key)
    assert found is not None
    return found


async def untouched(rig: Rig, key: str, before: Entry) -> None:
    """Nothing of a request has changed; it expires as if nobody had called, and its allowance comes back."""
    await rig.wait(1)
    assert entry_of(rig, key) == before
    await rig.wait(46 * 60)
    assert entry_of(rig, key).last.state is State.EXPIRED
    assert rig.notes.of("call-back") == []
    assert "correlationId" in await rig.asked()
    assert key not in rig.smt.metrics.text().decode()
    assert PLAIN not in rig.smt.metrics.text().decode()


async def test_a_rep_cannot_answer_its_own_inquiry(smt: Rig) -> None:
    key = (await smt.asked())["correlationId"]
    await smt.wait(11)
    before = entry_of(smt, key)
    token = smt.tokens["lonestar.api"]
    made_up = LinkKeys.make()
    tries = [
        (f"{CALL_BACKS}/{key}/{made_up.seal(key)}", JSON, 401),
        (f"{CALL_BACKS}/{key}/{made_up.seal(key)}", bearing(token), 401),
        (f"{CALL_BACKS}/{key}/{made_up.seal(key)}", bearing(made_up.headend), 401),
        (f"{CALL_BACKS}/{key}/{made_up.seal(key)}", bearing("é" * 40), 401),
        (f"{CALL_BACKS}/{key}/-", {**JSON, "authorization": f"Basic {KEYS.headend}"}, 401),
        # Even who has seen the address that the head-end was given lacks its key.
        (f"{CALL_BACKS}/{key}/{KEYS.seal(key)}", JSON, 401),
        (f"{CALL_BACKS}/{key}", JSON, 404),
        (CALL_BACKS, JSON, 404),
    ]
    assert len(tries) == 8
    for url, headers, status in tries:
        given = {name.encode(): value.encode() for name, value in headers.items()}
        reply = await smt.client.post(url, content=json.dumps(answer(smt, key)), headers=given)
        assert reply.status_code == status, url
        assert reply.json() == ({"error": "It does not bear the key of a head-end."} if status == 401 else {"errorCode": "NO-CALL", "errorMessage": "There is no such call."})  # fmt: skip
    # What is no answer is neither noted nor read.
    stranger = await smt.client.post(tries[0][0], content=b'{"correlationId": "' + key.encode(), headers=JSON)
    assert stranger.status_code == 401
    assert 'outcome="http_401"} 7.0' in smt.smt.metrics.text().decode()
    await untouched(smt, key, before)


@pytest.mark.parametrize(
    ("bearer", "address"),
    [
        pytest.param(KEYS.headend, lambda key, other: (key, KEYS.seal(other)), id="another-inquirys-seal"),
        pytest.param(KEYS.headend, lambda key, _: (key, OTHERS.seal(key)), id="another-links-seal"),
        pytest.param(KEYS.headend, lambda _, other: (other, KEYS.seal(other)), id="another-inquirys-body"),
        pytest.param(KEYS.headend, lambda key, _: (key, "é"), id="no-seal"),
        pytest.param(OTHERS.headend, lambda key, _: (key, KEYS.seal(key)), id="another-head-end"),
        pytest.param(OTHERS.headend, lambda key, _: (key, OTHERS.seal(key)), id="another-head-ends-own-seal"),
    ],
)
async def test_only_the_head_end_that_was_asked_answers_and_only_where_it_was_told(
    smt: Rig, bearer: str, address: Callable[[str, str], tuple[str, str]]
) -> None:
    key = (await smt.asked())["correlationId"]
    other = (await smt.asked("/powerstatus/"))["correlationId"]
    await smt.wait(11)
    before = entry_of(smt, key)
    at, seal = address(key, other)
    reply = await smt.client.post(f"{CALL_BACKS}/{at}/{seal}", json=answer(smt, key), headers=bearing(bearer))
    assert (reply.status_code, reply.json()["error"].split(" from ")[0]) == (403, "The call-back is not")
    await untouched(smt, key, before)


async def test_smt_with_open_links_takes_an_answer_from_anybody_and_says_so(tmp_path: Path) -> None:
    async with Rig(tmp_path, open_links=True) as rig:
        rig.head_end.times = 0
        key = (await rig.asked())["correlationId"]
        await rig.wait(11)
        assert (await rig.client.get("/healthz")).json()["links"] == "open"
        assert (await rig.client.post(f"{CALL_BACKS}/{key}/-", json=answer(rig, key))).status_code == 202


async def test_what_a_worker_has_put_by_is_handed_over_once_by_the_dispatcher(
    smt: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smt.smt.ledger, "_shared", True)
    dispatcher = smt.smt.inquiries
    worker = Inquiries(
        smt.runtime,
        smt.smt.registry,
        Ledger(smt.smt._engine, shared=True),
        smt.notes,
        smt.http,
        {},
        {"coastal": KEYS},
        open_links=False,
        reply_to="http://smt",
        policy=smt.smt.config.policy,
        here=False,
        overdue=smt.smt.desk.overdue,
    )
    key = (await smt.asked())["correlationId"]
    await smt.wait(11)
    result = InquiryResult.model_validate(answer(smt, key))
    other = result.model_copy(update={"meterReads": 2, "register_read": None})
    assert [worker.call_back(one) for one in (result, result, other)] == [
        CallBack.ACCEPTED,
        CallBack.DUPLICATE,
        CallBack.DIFFERS,
    ]
    assert entry_of(smt, key).last.state is not State.COMPLETED
    assert dispatcher.waiting() == [key]
    dispatcher.collect([key])
    # Handed over, it is waited for no more.
    assert dispatcher.waiting() == []
    dispatcher.collect([key])
    await smt.wait(80)
    assert entry_of(smt, key).last.state is State.COMPLETED
    assert worker.call_back(result) is CallBack.LATE
    await smt.wait(1)
    became = ["accepted", "duplicate", "differs", "accepted", "late"]
    assert sorted(one["became"] for one in smt.notes.of("call-back")) == sorted(became)
