"""SMT's inquiries at a head-end: what it does not take, does not answer, answers late or twice, and what that makes of the request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from meters.calendar import to_us
from simulator.smt.ondemand.inquiries import _other_id
from simulator.smt.ondemand.invariants import Author, breaches, from_ledger
from simulator.smt.ondemand.lifecycle import State
from tests.simulator.smt.rig import PLAIN, Rig


@pytest.mark.parametrize(
    ("amend", "path", "fields", "reason"),
    [
        ({"outcome": "failed", "reason": "the meter did not answer 4 tries"}, "/odr/", {}, "the meter did not answer 4 tries"),
        ({"intervals": []}, "/odr/", {"readType": "INTERVALS"}, "lacks 70 intervals"),
        ({"register": None}, "/odr/", {}, "no register read"),
        ({"power": {"status": "UNKNOWN", "source": "none", "switchState": "UNKNOWN", "voltage": None, "at": None}}, "/powerstatus/", {}, "nothing is known"),
    ],
)  # fmt: skip
async def test_what_is_not_complete_is_failed_and_gives_the_allowance_back(
    rig: Rig, amend: dict[str, Any], path: str, fields: dict[str, str], reason: str
) -> None:
    rig.post_days()
    rig.head_end.amend = amend
    ack = await rig.asked(path, **fields)
    await rig.wait(80)
    status = await rig.status(ack["correlationId"])
    again = await rig.asked(path, **fields)
    assert status["statusCode"] == "1"
    assert status["statusReason"].startswith("FAILED: ")
    assert reason in status["statusReason"]
    assert again["statusCode"] == "0"


@pytest.mark.parametrize(("status", "reason"), [(None, "cannot be reached"), (503, "HTTP 503"), (404, "HTTP 404")])
async def test_a_head_end_that_does_not_take_the_inquiry_fails_it_and_gives_the_allowance_back(
    rig: Rig, status: int | None, reason: str
) -> None:
    if status is None:
        rig.smt.inquiries.links = {"coastal": "http://127.0.0.1:1"}
    else:
        rig.head_end.accepts = status
    ack = await rig.asked()
    await rig.wait(80)
    answer = await rig.status(ack["correlationId"])
    again = await rig.asked()
    assert reason in answer["statusReason"]
    assert "127.0.0.1" not in answer["statusReason"]
    assert again["statusCode"] == "0"


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (b'{"code": "headend.link.key", "message": "It does not bear the key."}', "; headend.link.key: It does not bear the key."),
        (b'{"message": "no\\n\\u2028more"}', "; no\\n\\u2028more"),
        (b'{"code": 7, "message": ["x"]}', ""),
        (b'["x"]', ""),
        (b"<html>", ""),
        (b'{"message": "' + b"x" * 999 + b'"}', "; " + "x" * 200),
    ],
)  # fmt: skip
async def test_why_a_head_end_took_no_inquiry_is_told_short_and_in_plain_letters(
    rig: Rig, says: bytes, told: str
) -> None:
    rig.head_end.accepts, rig.head_end.says = 401, says
    ack = await rig.asked()
    await rig.wait(80)
    reason = (await rig.status(ack["correlationId"]))["statusReason"]
    assert reason == f"FAILED: the TDSP's head-end did not take the inquiry (HTTP 401{told})"


async def test_without_an_answer_a_request_expires_and_a_late_call_back_is_acknowledged(tmp_path: Path) -> None:
    async with Rig(tmp_path, expiry_us=to_us(120)) as rig:
        rig.head_end.seconds = 300
        ack = await rig.asked()
        await rig.wait(119)
        assert (await rig.status(ack["correlationId"]))["statusCode"] == "PEN"
        await rig.wait(1)
        status = await rig.status(ack["correlationId"])
        await rig.wait(300)
        assert await rig.status(ack["correlationId"]) == status | {"trans_id": f"t-{rig.count}"}
        again = await rig.asked()
    assert status["statusReason"] == "T-FAILED: no answer from the TDSP in time"
    assert rig.head_end.replies == [202]
    assert [one["became"] for one in rig.notes.of("call-back")] == ["late"]
    assert again["statusCode"] == "0"


@pytest.mark.parametrize("reads", [0, 1])
async def test_a_read_without_an_allowance_that_is_told_of_too_late_is_a_use_all_the_same(
    tmp_path: Path, reads: int
) -> None:
    """A head-end reads for a request that had no allowance and is silent until that has expired: the ledger names it, and the hour counts it."""
    async with Rig(tmp_path, "smt-today", expiry_us=to_us(120)) as rig:
        rig.post_days()
        for _ in range(2):
            await rig.asked()
            await rig.wait(300)
        rig.head_end.seconds, rig.head_end.meter_reads = 150, reads
        rig.head_end.amend = {} if reads else {"intervals": []}
        late = (await rig.asked(readType="INTERVALS"))["correlationId"]
        await rig.wait(300)
        entry = rig.smt.ledger.entry(late)
        assert entry is not None
        assert not any(step.meter_allowed for step in entry.life)
        assert [one["became"] for one in rig.notes.of("call-back")] == ["accepted", "accepted", "late"]
        assert (entry.last.state, entry.unallowed) == (State.EXPIRED, bool(reads))
        # The first read is an hour old; the second and that one are not.
        await rig.wait(3600 - 3 * 300 + 1)
        rig.head_end.seconds, rig.head_end.amend = 5, {}
        again = await rig.asked()
        scopes = lambda filed: rig.smt.desk.filing.request(filed).requested.scopes  # noqa: E731
        found = breaches(rig.smt.desk.policy, from_ledger(rig.smt.ledger.audit(PLAIN, rig.today()), scopes))
    assert again["statusCode"] == ("1" if reads else "0")
    assert [one.author for one in found] == [Author.HEAD_END] * reads


async def test_a_duplicate_call_back_is_acknowledged_and_changes_nothing(rig: Rig) -> None:
    rig.head_end.times = 2
    ack = await rig.asked()
    await rig.wait(80)
    entry = rig.smt.ledger.entry(ack["correlationId"])
    assert rig.head_end.replies == [202, 202]
    assert [one["became"] for one in rig.notes.of("call-back")] == ["accepted", "duplicate"]
    assert entry is not None
    assert [transition.state for transition in entry.transitions] == [
        State.REQUESTED,
        State.ACCEPTED,
        State.QUEUED,
        State.SENT,
        State.PENDING,
        State.ANSWERED,
        State.COMPLETED,
    ]


async def test_an_inquiry_whose_reply_is_lost_waits_for_the_call_back(rig: Rig) -> None:
    rig.head_end.loses_reply = True
    ack = await rig.asked()
    await rig.wait(80)
    status = await rig.status(ack["correlationId"])
    assert status["statusCode"] == "0"


async def test_an_inquiry_that_may_not_have_arrived_is_sent_again_and_taken_once(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig:
        rig.head_end.loses = 2
        ack = await rig.asked()
        await rig.wait(85)
        status, times = await rig.status(ack["correlationId"]), len(rig.head_end.asked)
    assert (status["statusCode"], times) == ("0", 1)


@pytest.mark.parametrize(
    ("body", "other"),
    [
        (b'{"correlationId": "1", "status": "accepted"}', ""),
        (b'{"correlationId": "2"}', "2"),
        (b'{"correlationId": 1}', "1"),
        # It need not name any.
        (b"{}", ""),
        (b"[1]", ""),
        (b"<html>", ""),
        (b"", ""),
    ],
)
def test_an_acknowledgement_names_its_own_inquiry_or_none(body: bytes, other: str) -> None:
    assert _other_id(httpx.Response(202, content=body), "1") == other
