"""A call's page tells what the API tells of the record, to the cent and the Wh; whose it is; how it stands; and that a reload shows the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markupsafe import escape

from meters.calendar import Seconds, ends_within, epoch, interval_ends, seconds
from simulator.ror.account import WORTH_ASKING
from simulator.ror.accounts.book import Customer
from simulator.ror.call.basis import Kind
from simulator.ror.desk.calls import DeskLimits
from simulator.smt.doors.both.rd import rd_format
from simulator.web.words import kwh, money
from tests.simulator.ror.desk.support import DeskRig, customer, desk_rig
from tests.simulator.ror.desk.web.visits import Visit, parts, sentences, sum_rows, text_of, visiting
from tests.simulator.ror.support import ESIID, Portal, wh_of

OTHER = "10443720000000025"
Behaves = Callable[[Callable[[], Seconds]], Portal]


def dollars(text: str) -> str:
    return money(Decimal(text))


def behaving(**given: Any) -> Behaves:
    return lambda now: Portal(now, **given)


def frugal() -> Customer:
    """A customer for whom no read is worth it."""
    made = customer()
    entry = made.entry.model_copy(update={"worth_asking": Decimal(1000)})
    return Customer(entry, made.reading_days, made.plans, made.bills, made.payments)


async def told(rig: DeskRig, visit: Visit, to: str = "2026-08-12T17:50") -> tuple[str, dict[str, Any]]:
    """A call that was told: its page, and its record by the API."""
    at = await visit.take()
    await rig.to(to)
    return (await visit.get(at)).text, await rig.call(at.partition("=")[2])


async def test_the_page_has_the_apis_figures_to_the_cent_and_the_watt_hour(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        page, record = await told(rig, visit)
    answer = record["answer"]
    stand, own = answer["with_gap"], answer["own_record"]
    rows, shown = sum_rows(page), dict(parts(page))
    owed = Decimal(own["amount_due_usd"]) + Decimal(stand["bill"]["total_usd"])
    assert (rows["owed"], rows["cycle"], rows["before"]) == (
        money(owed),
        dollars(record["told_usd"]),
        dollars(own["amount_due_usd"]),
    )
    alone = {one["kind"]: one for one in answer["instant"]["stand"]["rests_on"]}
    mine = {one["kind"]: one for one in stand["rests_on"]}
    none = {"wh": 0, "usd": "0"}
    assert set(shown) == {*mine, *alone, "Sum"}
    for kind in {*mine, *alone}:
        figures = [
            text
            for one in (mine.get(kind, none), alone.get(kind, none))
            for text in (kwh(one["wh"]), dollars(one["usd"]))
        ]
        assert shown[kind] == figures, kind
    for name in ("low", "middle", "high"):
        row = re.search(rf'<tr id="ahead-{name}">.*?</tr>', page)
        wh = stand["projection"]["total_wh" if name == "middle" else f"{name}_wh"]
        assert row is not None
        assert re.findall(r'class="n">(.*?)</td>', row[0]) == [kwh(wh), dollars(stand["projected_usd"][name])]
    assert "The parts add up to the bill" in page
    assert shown["Sum"][:2] == [kwh(stand["bill"]["usage_wh"]), dollars(record["told_usd"])]
    assert sentences(page) == answer["sentences"]
    worth = answer["decision"]["facts"]["read_worth"]["total_usd"]
    assert (rows["worth"], rows["asking"]) == (dollars(worth), money(WORTH_ASKING))
    # Every instant has its zone, and each axis its unit.
    assert "VEE data end at 2026-08-12 00:00:00 CDT" in page
    assert not re.search(r"\dT\d\d:\d\d:\d\d[+-]", page)
    assert page.count('<p class="note">kWh</p>') == 2
    for count, word in re.findall(r'class="note">(\d+) (quarter hours?)<', page):
        assert word == ("quarter hour" if count == "1" else "quarter hours")


async def test_what_is_not_validated_is_marked_with_its_dollars(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        page, record = await told(rig, visit)
    usd = {one["kind"]: Decimal(one["usd"]) for one in record["answer"]["with_gap"]["rests_on"]}
    marked = re.search(r'<p class="marked">(.*?)</p>', page)
    assert marked is not None
    assert usd[Kind.STORE] > 0 < usd[Kind.METER]
    assert f"not validated {money(usd[Kind.STORE] + usd[Kind.METER])}" in text_of(marked[1])
    assert f"validated {money(usd[Kind.VEE_ACTUAL])}" in text_of(marked[1])
    bar = page.partition('class="parted"')[2].partition("</svg>")[0]
    assert re.findall(r'data-kind="(\w+)"', bar) == ["actual", "store", "meter"]


async def test_every_linked_number_stands_where_it_leads(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        page, _ = await told(rig, visit)
    links = re.findall(r'<a href="#([\w-]+)">([^<]+)</a>', page.partition('<ol class="says">')[2].partition("</ol>")[0])
    assert len(links) >= 10
    for anchor, figure in links:
        (place,) = re.findall(rf'<(\w+)[^>]* id="{anchor}"', page)
        stands = re.search(rf'<{place}[^>]* id="{anchor}".*?</{place}>', page, re.DOTALL)
        assert stands is not None
        shown = text_of(stands[0])
        rounded = [f"{float(one.replace(',', '')):.1f}" for one in re.findall(r"\d[\d,]*\.\d{3}", shown)]
        assert figure in shown or figure in rounded, (anchor, figure, shown)


async def test_the_answer_without_the_read_stands_at_once_and_a_reload_shows_the_same(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit, visiting(rig) as other:
        at = await visit.take()
        first = (await visit.get(at)).text
        assert "SMT is being asked for the validated usage." in first
        await rig.to("2026-08-12T17:40:20")
        page, same = (await visit.get(at)).text, (await other.get(at)).text
        record = await rig.call(at.partition("=")[2])
        assert record["at_once"]["instant"]["stand"]["bill"]["total_usd"] == sum_rows(page)["cycle"].removeprefix("$")
        assert sentences(page) == sentences(same) == record["at_once"]["instant"]["sentences"]
        assert "The meter is being asked." in page
        assert f'id="call" data-poll="{at}"' in page
        part = await visit.get(at, "call")
        assert part.text.startswith('<section id="call"')
        assert "x-event" not in part.headers
        assert "2:40 left" in (await visit.get(at, "patience")).text
        await rig.to("2026-08-12T17:50")
        ended = (await visit.get(at)).text
        assert "The meter has answered: the bill has its read." in ended
        assert 'id="call" data-poll' not in ended
        assert "patience to 17:43:00 CDT: <b>over</b>" in ended
        # The list of calls hears of it.
        assert f'data-on="{(await visit.get(at, "call")).headers["x-event"]}"' in ended
    # Who comes after the desk was stopped sees the same.
    async with desk_rig(tmp_path, at=epoch("2026-08-12T18:00")) as rig, visiting(rig) as visit:
        again = (await visit.get(at)).text
    assert (parts(again), sentences(again), sum_rows(again)) == (parts(ended), sentences(ended), sum_rows(ended))


async def test_a_refusal_is_told_with_its_rule_and_by_the_clock_when_to_come_again(tmp_path: Path) -> None:
    refusal = {"code": "SMT-HOUR", "reason": "Two reads an hour.", "retryAt": "2026-08-12T18:40:00-05:00"}
    ack = {"statusCode": "1", "statusReason": "Refused", "correlationId": None, "refusal": refusal}
    async with desk_rig(tmp_path, behaving(ack=ack)) as rig, visiting(rig) as visit:
        page, record = await told(rig, visit)
    assert record["answer"]["request"]["end"] == "refused"
    assert "The read was refused." in page
    assert "Two reads an hour. (SMT-HOUR)" in page
    assert "The meter can be asked again from Wed Aug 12 18:40 CDT." in page


async def test_a_slow_read_says_so_and_what_comes_after_hang_up_is_a_follow_up(tmp_path: Path) -> None:
    async with desk_rig(tmp_path, behaving(takes_s=seconds(400))) as rig, visiting(rig) as visit:
        at = await visit.take(patience_s="150")
        await rig.to("2026-08-12T17:43:00")
        slow = (await visit.get(at)).text
        assert "three in a hundred up to thirty" in slow
        assert "offer to call back" in slow
        await rig.to("2026-08-12T17:48:00")
        page = (await visit.get(at)).text
    assert "The caller had hung up at 17:42:30 CDT: call back with this answer." in page


async def test_the_meter_is_asked_all_the_same_in_the_same_call(tmp_path: Path) -> None:
    async with desk_rig(tmp_path, customers=(frugal(),)) as rig, visiting(rig) as visit:
        at = await visit.take()
        await rig.to("2026-08-12T17:40:20")
        page = (await visit.get(at)).text
        assert "Told without a read of the meter." in page
        assert "Ask the meter all the same" in page
        assert [path for path, _ in rig.portal.seen if "odr" in path] == []
        call_id = at.partition("=")[2]
        part = await visit.post("/desk/accounts/A-1001/ask", "call", call=call_id)
        assert (part.status_code, "Ask the meter all the same" in part.text) == (200, False)
        await rig.to("2026-08-12T17:45")
        page, record = (await visit.get(at)).text, await rig.call(call_id)
        assert "The meter has answered" in page
        assert record["answer"]["request"]["end"] == "answered"
        assert sum_rows(page)["cycle"] == dollars(record["told_usd"])
        again = await visit.post("/desk/accounts/A-1001/ask", call=call_id)
        assert (again.status_code, "ror.call.no_read" in again.text) == (409, True)
        assert [call.id for call in rig.desk.latest(9)] == [call_id]
        by_api = await rig.http.post(f"/calls/{call_id}/ask")
        assert (by_api.status_code, by_api.json()["code"]) == (409, "ror.call.no_read")


async def test_an_asked_call_is_re_billed_by_what_was_told_last(tmp_path: Path) -> None:
    async with desk_rig(tmp_path, customers=(frugal(),)) as rig:
        call_id = await rig.take()
        await rig.to("2026-08-12T17:41")
        before = await rig.call(call_id)
        assert (await rig.http.post(f"/calls/{call_id}/ask")).status_code == 202
        await rig.to("2026-08-12T17:45")
        rig.portal.posted = date(2026, 8, 12)
        await rig.to("2026-08-13T12:00")
        after = await rig.call(call_id)
        assert after["told_usd"] != before["told_usd"]
        assert after["rebill"]["vee_usd"] == after["told_usd"]
        assert (await rig.http.post(f"/calls/{call_id}/ask")).status_code == 409


async def test_nobody_learns_whether_an_account_or_a_call_is_somebody_elses(tmp_path: Path) -> None:
    both = (customer(), customer("A-1002", OTHER))
    async with desk_rig(tmp_path, customers=both) as rig, visiting(rig) as visit:
        at = await visit.take("A-1002")
        call_id = at.partition("=")[2]
        foreign, unknown = (
            await visit.get(f"/desk/accounts/A-1001?call={call_id}"),
            await visit.get("/desk/accounts/A-1001?call=call-9"),
        )
        assert (foreign.status_code, foreign.text) == (404, unknown.text)
        asked = await visit.post("/desk/accounts/A-1001/ask", call=call_id)
        assert asked.status_code == 404
        assert (await visit.get("/desk/accounts/A-1001")).text.count(call_id) == 0
    # Another retailer's desk has neither.
    (tmp_path / "other").mkdir()
    async with desk_rig(tmp_path / "other") as rig, visiting(rig) as visit:
        of_other, of_nobody = await visit.get("/desk/accounts/A-1002"), await visit.get("/desk/accounts/A-7777")
        assert (of_other.status_code, of_other.text) == (404, of_nobody.text)
        assert (await visit.post("/desk/accounts/A-1002/call", question="balance")).status_code == 404
        assert "A-1002" not in (await visit.get("/desk/?q=A-1002")).text.replace('value="A-1002"', "")


async def test_who_is_another_retailers_by_now_is_told_of_the_books_alone(tmp_path: Path) -> None:
    error = {"errorCode": "AC1", "errorMessage": "ESI ID is not yours."}
    async with desk_rig(tmp_path, behaving(vee_error=error)) as rig, visiting(rig) as visit:
        page, record = await told(rig, visit)
    assert record["answer"]["trouble"]["code"] == "smt.AC1"
    assert "SMT gave no usage data: only the books are told." in page
    assert "(smt.AC1)" in page
    assert sum_rows(page)["before"] == "$0.00"
    assert "owed" not in sum_rows(page)


async def test_the_last_bill_is_told_from_the_books(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        at = await visit.take(question="last_bill")
        await rig.to("2026-08-12T17:41")
        page = (await visit.get(at)).text
    assert "Told from the books." in page
    assert rig.portal.seen == []
    assert sum_rows(page)["last"] == "$131.07"


async def test_accounts_are_found_by_name_id_and_esiid(tmp_path: Path) -> None:
    both = (customer(), customer("A-1002", OTHER))
    async with desk_rig(tmp_path, customers=both) as rig, visiting(rig) as visit:
        for sought, found in (("", 2), ("tarbush", 2), ("a-1002", 1), (ESIID, 1), ("nobody", 0)):
            page = (await visit.http.get("/desk/", params={"q": sought})).text
            assert page.count("<tr><td><a ") == found, sought
        assert "No account is called so." in page


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"question": "balance", "patience_s": "-1"}, 400, "patience_s"),
        ({"question": "balance", "patience_s": "99999"}, 400, "patience_s"),
        ({"question": "balance", "patience_s": "²"}, 400, "patience_s"),
        ({"question": "why"}, 400, "question"),
        ({}, 400, "question"),
    ],
)
async def test_a_call_that_is_asked_for_wrongly_is_not_taken(
    tmp_path: Path, fields: dict[str, str], status: int, code: str
) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        reply = await visit.post("/desk/accounts/A-1001/call", **fields)
        assert (reply.status_code, f"<code>{code}</code>" in reply.text) == (status, True)
        assert rig.desk.latest(9) == []


async def test_a_desk_that_works_on_all_it_can_says_so(tmp_path: Path) -> None:
    async with desk_rig(tmp_path, limits=DeskLimits(under_way=1)) as rig, visiting(rig) as visit:
        await visit.take()
        full = await visit.post("/desk/accounts/A-1001/call", question="balance")
    assert (full.status_code, "ror.calls.many" in full.text) == (429, True)


def by_anchor(page: str) -> dict[str, list[str]]:
    """kWh and dollars of the rows of the re-bill."""
    rows = re.findall(r'<tr id="rebill-(\w+)"><td>.*?</td><td class="n">(.*?)</td><td class="n">(.*?)</td>', page)
    return {anchor: list(figures) for anchor, *figures in rows}


@dataclass
class Counts(Portal):
    """A portal whose validated quarter hours after noon of the call's day are so many Wh more than were read."""

    more_wh: int = 0

    def rows(self, body: dict[str, Any]) -> list[dict[str, str]]:
        rows = super().rows(body)
        if self.posted > date(2026, 8, 11):
            ends = interval_ends(self.posted)
            wh = np.array([wh_of(end) + self.more_wh for end in ends.tolist()], np.int32)
            rows[-1] |= {"RD": rd_format(wh, np.zeros(len(wh), np.bool_), self.posted)}
        return rows


@pytest.mark.parametrize(
    ("more_wh", "within", "headline"),
    [(0, True, "bear the bill out"), (-2, True, "bear the bill out"), (500, False, "do not bear the bill out")],
)
async def test_what_vee_data_make_of_the_bill_told_is_the_apis_to_the_cent_and_the_watt_hour(
    tmp_path: Path, more_wh: int, within: bool, headline: str
) -> None:
    def portal(now: Callable[[], Seconds]) -> Counts:
        return Counts(now, more_wh=more_wh)

    async with desk_rig(tmp_path, portal) as rig, visiting(rig) as visit:
        at = await visit.take()
        await rig.to("2026-08-12T17:45")
        waits, record = (await visit.get(at)).text, await rig.call(at.partition("=")[2])
        assert "It is made at Thu Aug 13 12:00 CDT, from what is posted by then." in waits
        assert record["rebill_due"] == "2026-08-13T12:00:00-05:00"
        stand = record["answer"]["with_gap"]
        told = [kwh(stand["bill"]["usage_wh"]), dollars(record["told_usd"])]
        assert by_anchor(waits) == {"told": told}
        rig.portal.posted = date(2026, 8, 12)
        await rig.to("2026-08-13T12:00")
        page, record = (await visit.get(at)).text, await rig.call(at.partition("=")[2])
        listed = (await rig.http.get("/calls")).json()["calls"][0]
        account = (await visit.get(at.partition("?")[0])).text
    again = record["rebill"]
    assert (again["satisfied"], record["rebill_due"], listed["rebill"]) == (within, None, again)
    apart_wh = again["told_wh"] - again["vee_wh"]
    assert apart_wh == -more_wh * len(ends_within(epoch("2026-08-12T00:00"), epoch(stand["to"])))
    assert by_anchor(page) == {
        "told": told,
        "vee": [kwh(again["vee_wh"]), dollars(again["vee_usd"])],
        "apart": [kwh(apart_wh), dollars(again["difference_usd"])],
        "allowed": ["", money(max(Decimal("1.00"), Decimal(again["vee_usd"]) * Decimal("0.02")))],
    }
    # What was not validated is told beside it, by kWh and dollars.
    open_parts = [one for one in stand["rests_on"] if Kind(one["kind"]) in (Kind.STORE, Kind.METER)]
    row = [
        kwh(sum(one["wh"] for one in open_parts)),
        money(sum((Decimal(one["usd"]) for one in open_parts), Decimal(0))),
    ]
    assert f'of it not validated</td><td class="n">{row[0]}</td><td class="n">{row[1]}</td>' in page
    assert f"VEE data {headline}" in page
    lines = page.partition("The bill of VEE data line by line")[2].partition("</details>")[0]
    for line in again["vee_bill"]["lines"]:
        assert f'{escape(line["text"])}</td><td class="n">{dollars(line["usd"])}' in lines
    assert f"on VEE data ${again['vee_usd']}" in account


async def test_a_re_bill_that_vee_data_do_not_reach_says_so_and_when_it_is_made_again(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        at = await visit.take()
        await rig.to("2026-08-13T12:00")
        page = (await visit.get(at)).text
        assert "VEE data do not reach to what was told." in page
        assert "It is made at Fri Aug 14 12:00 CDT, from what is posted by then." in page
        rig.portal.vee_error = {"errorCode": "AC1", "errorMessage": "ESI ID is not yours."}
        await rig.to("2026-08-14T12:00")
        assert "SMT gave none: ESI ID is not yours. (smt.AC1)" in (await visit.get(at)).text
        await rig.to("2026-08-20T00:00")
        assert "It is made at" not in (await visit.get(at)).text
        assert (await rig.call(at.partition("=")[2]))["rebill_due"] is None


async def test_nobody_is_told_of_a_re_bill_that_a_desk_begun_anew_does_not_make(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        at = await visit.take()
        await rig.to("2026-08-12T17:45")
    async with desk_rig(tmp_path, at=epoch("2026-08-12T18:00")) as rig, visiting(rig) as visit:
        page, record = (await visit.get(at)).text, await rig.call(at.partition("=")[2])
        assert "was not made again from VEE data: the desk was stopped before." in page
        assert "It is made at" not in page
        assert record["satisfied"]["reason"].endswith("it was not billed again from VEE data.")


async def test_an_account_of_any_name_has_its_page_and_its_calls(tmp_path: Path) -> None:
    names = ["login", "logout", "files", "accounts", "call", "A-1.2"]
    people = tuple(customer(name, f"{10443720000000000 + at}") for at, name in enumerate(names))
    async with desk_rig(tmp_path, customers=people) as rig, visiting(rig) as visit:
        taken = {name: await visit.take(name) for name in names}
        await rig.to("2026-08-12T17:45")
        for number, (name, at) in enumerate(taken.items(), start=1):
            assert at == f"/desk/accounts/{name}?call=call-{number:04d}"
            for page in (at, f"/desk/accounts/{name}"):
                assert f"Account {name}, ESI ID" in (await visit.get(page)).text
            assert f'href="/desk/accounts/{name}"' in (await visit.get("/desk/")).text
