"""What sweeps collected, at SMT: taken in once by the rules that answers are held to, held until its VEE data are there, seen by whom reads are, and the answer at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from headend.http.links import LinkKeys, bearing
from meters.calendar import Seconds, epoch, iso, seconds
from simulator.smt.ondemand.invariants import breaches, from_ledger
from simulator.smt.ondemand.lifecycle import ANSWERED_HELD
from simulator.smt.ondemand.rules import RULES
from simulator.smt.registry.records import RorPeriod
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.policy import parse_policy
from tests.simulator.smt.rig import FOREIGN, KEYS, NEIGHBOUR, NOW, PLAIN, RIVAL_DUNS, ROR_DUNS, Rig, record, registry

#: Posted is all up to here; a gap that begins there at 17:40 ends at 17:30.
MIDNIGHT, END = epoch("2026-08-12T00:00"), epoch("2026-08-12T17:30")
#: When the sweep was over that collected to 16:00.
SWEPT_TO, SWEPT = epoch("2026-08-12T16:00"), epoch("2026-08-12T16:00:35")
OTHERS = LinkKeys(*(f"another-key-of-the-{sender}" for sender in ("smt", "head-end", "meters", "control")))


def meter(
    esiid: str = PLAIN, start: Seconds = MIDNIGHT, end: Seconds = SWEPT_TO, at: Seconds = SWEPT, **of: Any
) -> dict[str, Any]:
    intervals = [{"end": iso(seconds(ends)), "wh": 100, **of} for ends in range(start + 900, end + 1, 900)]
    return {"esiid": esiid, "collectedAt": iso(at), "intervals": intervals}


def batch(*meters: dict[str, Any], key: str = "1") -> dict[str, Any]:
    return {"batchId": key, "meters": list(meters) or [meter()]}


async def push(rig: Rig, body: Any, key: str = KEYS.headend) -> httpx.Response:
    return await rig.client.post("/non-vee", json=body, headers=bearing(key))


async def taken(rig: Rig, *meters: dict[str, Any], key: str = "1") -> tuple[int, int, int]:
    reply = await push(rig, batch(*meters, key=key))
    assert reply.status_code == 202, reply.text
    told = reply.json()
    return told["accepted"], told["posted"], told["refused"]


async def gap(rig: Rig, **fields: Any) -> dict[str, Any]:
    return await rig.asked(readType="INTERVALS", **fields)


async def test_what_reaches_far_enough_answers_at_once_without_tier_meter_allowance_or_head_end(tmp_path: Path) -> None:
    async with Rig(tmp_path, "push-to-smt:seconds=5400") as rig:
        rig.post_days()
        assert await taken(rig) == (64, 0, 0)
        acks = [await gap(rig) for _ in range(3)]
        told = await rig.status(acks[0]["correlationId"])
        entry = rig.smt.ledger.entry(acks[0]["correlationId"])
        audit = rig.smt.ledger.audit(PLAIN)
        # The hour's two reads are still there.
        first, second, third = [await rig.asked() for _ in range(3)]
        await rig.wait(100)
    assert told["statusCode"] == "0"
    assert {(one["source"], one["collectedAt"], one["wh"]) for one in told["intervals"]} == {("store", iso(SWEPT), 100)}
    assert (len(told["intervals"]), told["missing"], told["reachesTo"]) == (64, [], iso(SWEPT_TO))
    assert entry is not None
    assert [(step.state.value, step.at_us) for step in entry.transitions] == [
        (state, entry.filed.submitted_us) for state in ("requested", "answered", "completed")
    ]
    last = entry.last
    assert (last.reason, last.from_store, last.from_meter, last.meter_reads) == (ANSWERED_HELD, 64, 0, 0)
    assert not last.meter_allowed
    assert [one.last.reason for one in audit] == [ANSWERED_HELD] * 3
    assert from_ledger(audit, lambda _: {}) == []
    assert breaches(rig.smt.config.policy, from_ledger(audit, lambda _: {})) == []
    assert (first["statusCode"], second["statusCode"], third["refusal"]["code"]) == ("0", "0", "SMT-HOUR")
    assert [one.kind.value for one in rig.head_end.asked] == ["REGISTER", "REGISTER"]


@pytest.mark.parametrize(("within", "asked"), [(5400, 0), (5399, 1)])
async def test_what_falls_short_by_more_than_it_may_goes_the_usual_way(within: int, asked: int, tmp_path: Path) -> None:
    async with Rig(tmp_path, f"push-to-smt:seconds={within}") as rig:
        rig.post_days()
        await taken(rig)
        ack = await gap(rig)
        await rig.wait(100)
        entry = rig.smt.ledger.entry(ack["correlationId"])
    assert len(rig.head_end.asked) == asked
    assert all(one.pushToSmt for one in rig.head_end.asked)
    assert entry is not None
    assert (entry.last.reason == ANSWERED_HELD, entry.last.meter_reads) == (not asked, asked)


async def test_what_lies_beyond_a_hole_does_not_count_as_reached(tmp_path: Path) -> None:
    async with Rig(tmp_path, "push-to-smt") as rig:
        rig.post_days()
        late = epoch("2026-08-12T05:00")
        await taken(rig, meter(end=late - 900), meter(start=late, end=END, at=END + 30))
        await gap(rig)
        await rig.wait(100)
        assert len(rig.head_end.asked) == 1


async def test_under_meter_only_the_meter_is_asked_whatever_is_held(tmp_path: Path) -> None:
    written = {"title": "mine", "like": "push-to-smt", "source": "meter_only"}
    async with Rig(tmp_path, parse_policy("mine", written, place="test")) as rig:
        rig.post_days()
        await taken(rig, meter(end=END, at=END + 30))
        await gap(rig)
        await rig.wait(100)
        assert [one.storeAllowed for one in rig.head_end.asked] == [False]


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    return folder


async def test_a_value_beats_none_a_later_one_an_earlier_one_and_none_is_told_missing(tmp_path: Path) -> None:
    async with Rig(tmp_path, "push-to-smt") as rig:
        rig.post_days()
        one, two = meter(), meter(at=SWEPT + 60, wh=120)
        one["intervals"][0]["wh"] = one["intervals"][1]["wh"] = two["intervals"][1]["wh"] = two["intervals"][2][
            "wh"
        ] = None  # fmt: skip
        del two["intervals"][10:]
        await taken(rig, one)
        await taken(rig, two, key="2")
        told = await rig.status((await gap(rig))["correlationId"])
    assert told["missing"] == [iso(MIDNIGHT + 1800)]
    assert [one["wh"] for one in told["intervals"]][:10] == [120, 100, *[120] * 7, 100]
    assert told["reachesTo"] == iso(SWEPT_TO)


async def test_a_batch_sent_twice_counts_once_and_outlives_smt(tmp_path: Path) -> None:
    async with Rig(tmp_path, "push-to-smt") as rig:
        first = await push(rig, batch())
    async with Rig(tmp_path, "push-to-smt") as rig:
        rig.post_days()
        again = await push(rig, batch())
        other = await push(rig, batch(meter(end=END)))
        told = await rig.status((await gap(rig))["correlationId"])
        await rig.wait(1)
        noted = rig.notes.of("non-VEE intervals")
        metrics = rig.smt.metrics.text().decode()
    assert (first.json()["status"], again.json()) == ("accepted", first.json() | {"status": "duplicate"})
    assert (other.status_code, other.json()) == (409, {"error": "Another batch was taken under this batchId."})
    assert len(told["intervals"]) == 64
    assert noted == [{"status": "duplicate", "accepted": 64, "posted": 0, "refused": 0}]
    assert 'ami_smt_non_vee_intervals_total{became="duplicate"} 64.0' in metrics


def _bad(**change: Any) -> dict[str, Any]:
    one = meter()
    one["intervals"][3] |= change
    return one


OFF, LATER = "2026-08-12T01:07:00-05:00", iso(epoch("2026-08-12T16:15"))


@pytest.mark.parametrize(
    ("of", "pointer", "rule", "value", "lost"),
    [
        (_bad(end=OFF), "meters[1].intervals[3].end", "OFF-QUARTER", OFF, 1),
        (_bad(end=LATER), "meters[1].intervals[3].end", "COLLECTED-EARLY", LATER, 1),
        (_bad(end=iso(MIDNIGHT + 900)), "meters[1].intervals[3].end", "DUPLICATE", iso(MIDNIGHT + 900), 1),
        (_bad(wh=12_001), "meters[1].intervals[3].wh", "ENERGY-SIZE", "12001", 1),
        (_bad(wh=-1), "meters[1].intervals[3].wh", "ENERGY-SIGN", "-1", 1),
        (
            meter(at=epoch(NOW) + 301),
            "meters[1].collectedAt",
            "COLLECTED-AHEAD",
            iso(epoch(NOW) + 301),
            64,
        ),
        (meter("99900000000000999"), "meters[1].esiid", "ESIID", "99900000000000999", 64),
    ],
)
async def test_what_breaks_a_rule_is_refused_with_its_pointer_and_the_rest_is_held(
    of: dict[str, Any], pointer: str, rule: str, value: str, lost: int, tmp_path: Path
) -> None:
    async with Rig(tmp_path, "push-to-smt") as rig:
        reply = (await push(rig, batch(meter(NEIGHBOUR), of))).json()
    assert (reply["accepted"], reply["refused"]) == (128 - lost, lost)
    assert reply["parts"] == [{"pointer": pointer, "rule": rule, "value": value}]
    assert rule in RULES or rule == "ESIID"


async def test_what_is_just_within_the_rules_is_held(tmp_path: Path) -> None:
    async with Rig(tmp_path, "push-to-smt") as rig:
        ahead = epoch(NOW) + 300
        assert await taken(rig, _bad(wh=12_000), meter(NEIGHBOUR, at=ahead, wh=0)) == (128, 0, 0)
        at_once = meter(end=SWEPT_TO + 900, start=SWEPT_TO, at=SWEPT_TO + 900)
        assert await taken(rig, at_once, key="2") == (1, 0, 0)


async def test_only_a_head_end_of_these_esi_ids_is_heard_and_only_where_the_policy_has_it_so(tmp_path: Path) -> None:
    keys = {"coastal": KEYS, "inland": OTHERS}
    async with Rig(_folder(tmp_path), "push-to-smt", keys=keys) as rig:
        strangers = await push(rig, "no json", "a key")
        theirs = (await push(rig, batch(), OTHERS.headend)).json()
        # Another TDSP's batch of the same id is another batch.
        ours = await taken(rig)
        broken = await push(rig, batch(meter() | {"esiid": "x"}))
    assert (strangers.status_code, strangers.json()) == (401, {"error": "It does not bear the key of a head-end."})
    assert (theirs["accepted"], theirs["refused"], theirs["parts"][0]["rule"]) == (0, 64, "ESIID")
    assert ours == (64, 0, 0)
    assert (broken.status_code, broken.json()["errorCode"]) == (400, "FIELD")
    assert "meters" in broken.json()["errorMessage"]
    async with Rig(_folder(tmp_path), "smt-today") as rig:
        off = await push(rig, batch())
    assert off.status_code == 403
    async with Rig(_folder(tmp_path), "push-to-smt", open_links=True) as rig:
        assert (await push(rig, batch(), "whatever")).json()["accepted"] == 64


async def test_with_the_vee_data_of_its_day_it_is_gone_and_does_not_come_back(tmp_path: Path) -> None:
    async with Rig(tmp_path, "push-to-smt", now="2026-08-13T08:00") as rig:
        rig.post_days()
        day = meter(end=MIDNIGHT + 86400, at=MIDNIGHT + 86430)
        since = meter(start=MIDNIGHT + 86400, end=epoch("2026-08-13T07:00"), at=epoch("2026-08-13T07:01"))
        assert await taken(rig, day, since, meter(NEIGHBOUR)) == (96 + 28 + 64, 0, 0)
        whole = await rig.status((await gap(rig))["correlationId"])
        posted = [record(PLAIN, date(2026, 8, 12), epoch("2026-08-13T07:30"), wh=101)]
        rig.smt.store.load(posted, epoch("2026-08-13T07:31"), "day.lse")
        rest = await rig.status((await gap(rig))["correlationId"])
        again = await taken(rig, day, since, key="2")
        neighbour = rig.smt.non_vee._held(NEIGHBOUR, [date(2026, 8, 12)])
    assert [len(one["intervals"]) for one in (whole, rest)] == [96 + 28, 28]
    assert again == (28, 96, 0)
    assert len(neighbour) == 64


def moved_in(day: date) -> Registry:
    """The test market, in which PLAIN's retailer is another since a day."""
    old = registry().records
    rest = [one for one in old.periods if one.esiid != PLAIN]
    periods = [RorPeriod(PLAIN, RIVAL_DUNS, date(2025, 1, 1), date(2026, 8, 11)), RorPeriod(PLAIN, ROR_DUNS, day)]
    return Registry(**old._replace(periods=(*rest, *periods))._asdict())


async def test_it_is_seen_by_whom_reads_are_day_by_day(tmp_path: Path) -> None:
    async with Rig(_folder(tmp_path), "push-to-smt", registered=moved_in(date(2026, 8, 12))) as rig:
        rig.post_days(last="2026-08-10")
        assert await taken(rig, meter(start=MIDNIGHT - 86400)) == (96 + 64, 0, 0)
        mine = await rig.status((await gap(rig))["correlationId"])
        rivals = await gap(rig, username="rival.api", requesterAuthenticationID=RIVAL_DUNS, requestorID="rival.api")
        foreign = await gap(rig, ESIID=FOREIGN)
    assert (len(mine["intervals"]), mine["intervals"][0]["end"]) == (64, iso(MIDNIGHT + 900))
    assert rivals["errorCode"] == foreign["errorCode"] == "AC1"


async def test_registers_statuses_and_the_portal_ask_the_meter_as_before(tmp_path: Path) -> None:
    async with Rig(tmp_path, "push-to-smt") as rig:
        rig.post_days()
        await taken(rig, meter(end=END, at=END + 30))
        await rig.asked()
        await rig.asked("/powerstatus/")
        await rig.portal("/api/ondemandread", ESIID=PLAIN)
        await rig.wait(100)
    assert sorted(one.kind.value for one in rig.head_end.asked) == ["POWER", "REGISTER", "REGISTER"]


async def test_health_says_how_old_the_latest_batch_is_where_any_are_taken(tmp_path: Path) -> None:
    async with Rig(_folder(tmp_path), "push-to-smt") as rig:
        before = (await rig.client.get("/healthz")).json()["lastNonVeeAgeS"]
        await taken(rig)
        await rig.wait(60)
        after = (await rig.client.get("/healthz")).json()["lastNonVeeAgeS"]
    async with Rig(_folder(tmp_path), "smt-today") as rig:
        off = (await rig.client.get("/healthz")).json()["lastNonVeeAgeS"]
    assert (before, after, off) == (None, 60, None)
