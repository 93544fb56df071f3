"""On-demand requests through the market API: what stands against them, the throttle at both places, how each ends."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from meters.calendar import to_us
from simulator.smt.ondemand.invariants import Author, breaches, from_ledger
from simulator.smt.ondemand.ledger import Ledger
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.throttle.policy import parse_policy
from tests.simulator.smt.rig import BROKEN, FOREIGN, NEIGHBOUR, PLAIN, Rig

REFUSED_RESULT = {"outcome": "refused", "reason": "the meter is needed and may not be read", "meterReads": 0}


async def test_a_gap_is_answered_with_its_intervals_by_source(rig: Rig) -> None:
    rig.post_days()
    ack = await rig.asked(readType="INTERVALS", callReference="call-0001")
    assert (ack["statusCode"], ack["statusReason"]) == (
        "0",
        "Request submitted successfully for further processing",
    )
    assert re.fullmatch(r"\d{12}", ack["correlationId"])
    await rig.wait(30)
    pending = await rig.status(ack["correlationId"])
    assert (pending["statusCode"], pending["statusReason"]) == ("PEN", "Request Submitted by API")
    await rig.wait(60)
    status = await rig.status(ack["correlationId"])
    assert (status["statusCode"], status["statusReason"]) == ("0", "ODR retreived successfully")
    assert status["quality"] == "non-VEE"
    assert status["gap"] == {"start": "2026-08-12T00:00:00-05:00", "end": "2026-08-12T17:30:00-05:00"}
    sources = [one["source"] for one in status["intervals"]]
    assert (sources.count("store"), sources.count("meter")) == (64, 6)
    assert status["uncovered"] == []
    assert status["holes"] == []
    assert status["meterReads"] == 1
    (asked,) = rig.head_end.asked
    assert (asked.meterAllowed, asked.callReference) == (True, "call-0001")
    assert rig.notes.of("request completed") == [
        {"esiid": PLAIN, "inquiry": "INTERVALS", "call": "call-0001", "reason": "", "store": 64, "meter": 6, "missing": 0, "meter_reads": 1}
    ]  # fmt: skip


async def test_a_register_read_is_written_in_scientific_notation(rig: Rig) -> None:
    ack = await rig.asked()
    pending = await rig.market("/odrstatus", correlationId=ack["correlationId"])
    await rig.wait(80)
    done = await rig.market("/odrstatus/", correlationId=ack["correlationId"])
    assert '"odrRead":{"registeredRead":0E+0,"readDate":"08/12/2026 17:40:00"}' in pending.text
    assert '"odrRead":{"registeredRead":2.3459133E+4,"readDate":"08/12/2026 17:40:15"}' in done.text
    assert done.json()["statusCode"] == "0"
    assert "intervals" not in done.json()


async def test_a_second_plain_read_of_the_day_is_refused_at_once_with_the_time_of_the_first(rig: Rig) -> None:
    await rig.asked()
    under_way = await rig.asked()
    await rig.wait(80)
    spent = await rig.asked()
    assert under_way["refusal"]["reason"].endswith("A request of 2026-08-12T17:40:00-05:00 is under way.")
    assert spent["statusCode"] == "1"
    assert "correlationId" not in spent
    assert spent["refusal"] == {
        "code": "FR-CR016.1b",
        "reason": "FR CR016.1 allows one successful meter read request per ESI ID and day. "
        "It was used at 2026-08-12T17:41:15-05:00.",
        "retryAt": "2026-08-13T00:00:00-05:00",
    }
    assert len(rig.head_end.asked) == 1


async def test_a_refusal_found_by_the_head_end_comes_with_what_its_store_holds(rig: Rig) -> None:
    rig.post_days()
    await rig.asked()
    await rig.wait(80)
    held = {
        "end": "2026-08-12T00:15:00-05:00",
        "wh": 7,
        "source": "store",
        "collectedAt": "2026-08-12T04:00:00-05:00",
        "status": 0x2000,
    }
    rig.head_end.amend = REFUSED_RESULT | {"intervals": [held], "reachesTo": held["end"]}
    ack = await rig.asked(readType="INTERVALS")
    assert ack["statusCode"] == "0"
    await rig.wait(80)
    status = await rig.status(ack["correlationId"])
    assert rig.head_end.asked[1].meterAllowed is False
    assert status["statusCode"] == "1"
    assert status["refusal"]["code"] == "FR-CR016.1b"
    assert "It was used at" in status["refusal"]["reason"]
    assert status["refusal"]["retryAt"] == "2026-08-13T00:00:00-05:00"
    assert (status["intervals"], status["reachesTo"]) == ([held], held["end"])


async def test_an_answer_from_the_store_alone_spends_nothing(rig: Rig) -> None:
    rig.post_days()
    rig.head_end.meter_reads = 0
    await rig.asked(readType="INTERVALS")
    await rig.wait(80)
    assert (await rig.asked())["statusCode"] == "0"


async def test_power_status_and_read_have_an_allowance_each(rig: Rig) -> None:
    first = await rig.asked("/powerstatus/")
    await rig.wait(80)
    status = await rig.status(first["correlationId"])
    second = await rig.asked("/powerstatus/")
    read = await rig.asked()
    assert status["powerStatus"] == {
        "status": "ON",
        "source": "reply",
        "switchState": "CLOSED",
        "voltage": 243.1,
        "at": "2026-08-12T17:40:15-05:00",
    }
    assert second["refusal"]["code"] == "FR-CR016.1a"
    assert read["statusCode"] == "0"


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


async def test_an_unknown_or_malformed_call_back_is_told_so(rig: Rig) -> None:
    unknown = await rig.call_back({"correlationId": "1", "outcome": "completed"})
    malformed = await rig.call_back({"correlationId": "1", "outcome": "fine"})
    await rig.wait(1)
    assert (unknown.status_code, unknown.json()) == (404, {"correlationId": "1", "status": "unknown"})
    assert malformed.status_code == 400
    assert malformed.json()["errorMessage"].startswith("outcome: ")


@pytest.mark.parametrize("code", sorted(BROKEN))
async def test_each_broken_assumption_is_refused_with_its_own_reason(rig: Rig, code: str) -> None:
    for path in ("/odr/", "/powerstatus/"):
        reply = await rig.market(path, ESIID=BROKEN[code])
        assert reply.status_code == 200
        assert reply.json()["errorCode"] == code
    await rig.wait(80)
    assert rig.head_end.asked == []
    assert rig.smt.ledger.audit(BROKEN[code], rig.today()) == []


async def test_nobody_learns_whether_a_foreign_esiid_exists(rig: Rig) -> None:
    foreign = await rig.asked(ESIID=FOREIGN)
    unknown = await rig.asked(ESIID="99900000000099999")
    tdsp = (await rig.market("/odr/", "wires", ESIID=PLAIN)).json()
    assert foreign == unknown == tdsp
    assert foreign["errorCode"] == "AC1"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"requestorID": "rival.api"}, "REQUESTOR"),
        ({"requesterAuthenticationID": "9990000000012"}, "DUNS"),
        ({"SMTTermsandConditions": "N"}, "TERMS"),
        ({"deliveryMode": "FTP"}, "DELIVERY"),
        ({"deliveryMode": "EML"}, "DELIVERY"),
        ({"reportFormat": "CSV"}, "FORMAT"),
        ({"reportFormat": "LSE"}, "FORMAT"),
        ({"MeterNumber": "200000018"}, "METER"),
    ],
)
async def test_a_request_that_does_not_fit_its_sender_has_a_code(rig: Rig, fields: dict[str, str], code: str) -> None:
    assert (await rig.asked(**fields))["errorCode"] == code


async def test_a_meter_number_may_carry_its_suffix(rig: Rig) -> None:
    assert (await rig.asked(MeterNumber="200000017LG"))["statusCode"] == "0"


async def test_no_gap_is_said_at_once_and_spends_nothing(tmp_path: Path) -> None:
    async with Rig(tmp_path, now="2026-08-12T00:10") as rig:
        rig.post_days()
        reply = await rig.asked(readType="INTERVALS")
        plain = await rig.asked()
    assert reply == {
        "errorCode": "NO-GAP",
        "errorMessage": "There is no gap to fill: the posted VEE intervals reach to 2026-08-12T00:00:00-05:00.",
    }
    assert plain["statusCode"] == "0"


async def test_a_gap_over_48_hours_is_cut_and_holes_are_listed(rig: Rig) -> None:
    rig.post_days("2026-08-09", 3)
    rig.post_days("2026-08-04", 3)
    ack = await rig.asked(readType="INTERVALS")
    await rig.wait(80)
    status = await rig.status(ack["correlationId"])
    assert len(status["intervals"]) == 192
    assert status["uncovered"] == [{"start": "2026-08-10T00:00:00-05:00", "end": "2026-08-10T17:30:00-05:00"}]
    assert status["holes"] == [{"start": "2026-08-05T00:00:00-05:00", "end": "2026-08-07T00:00:00-05:00"}]


async def test_only_who_asked_may_poll(rig: Rig) -> None:
    ack = await rig.asked()
    spied = (await rig.market("/odrstatus/", "rival.api", correlationId=ack["correlationId"])).json()
    unknown = (await rig.market("/odrstatus/", "rival.api", correlationId="1")).json()
    assert spied == unknown
    assert spied["errorCode"] == "CORRELATION"


async def test_identical_requests_of_one_instant_have_ids_that_repeat_in_the_next_run(tmp_path: Path) -> None:
    async def ids(folder: Path) -> list[str]:
        async with Rig(folder, "store-only") as rig:
            rig.post_days()
            acks = [await rig.asked(readType="INTERVALS", trans_id="same") for _ in range(3)]
            return [ack["correlationId"] for ack in acks]

    first = await ids(tmp_path / "one")
    assert len(set(first)) == 3
    assert await ids(tmp_path / "two") == first


async def test_the_audit_shows_each_request_with_its_call(rig: Rig) -> None:
    await rig.asked(callReference="call-1")
    await rig.asked(callReference="call-2")
    await rig.asked(callReference="call-3", ESIID=NEIGHBOUR)
    await rig.wait(80)
    entries = rig.smt.ledger.audit(PLAIN, rig.today())
    ledger = Ledger(rig.smt._engine)
    assert ledger.audit(PLAIN, rig.today()) == entries
    shown = {entry.filed.call_reference: (entry.last.state, entry.last.meter_reads) for entry in entries}
    assert shown == {"call-1": (State.COMPLETED, 1), "call-2": (State.REFUSED, 0)}


async def test_what_a_crash_left_over_is_failed_and_given_back(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig:
        ack = await rig.asked()
        await rig.wait(20)
    async with Rig(tmp_path, now="2026-08-12T17:50") as rig:
        status = await rig.status(ack["correlationId"])
        assert status["statusReason"] == "FAILED: SMT was restarted while the request was under way"
        assert (await rig.asked())["statusCode"] == "0"


async def test_a_silent_limit_refuses_without_a_reason(tmp_path: Path) -> None:
    silent = {"name": "BULK", "kind": "read", "scope": "ror", "amount": 0, "window": "day", "code": "BULK", "rule": "secret", "told": False}  # fmt: skip
    policy = parse_policy("silent", {"title": "t", "limits": [silent]}, place="test")
    async with Rig(tmp_path, policy) as rig:
        reply = await rig.market("/odr/", ESIID=PLAIN)
    assert reply.json()["statusReason"] == "The request was not processed"
    assert "refusal" not in reply.json()
    assert "secret" not in reply.text


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
