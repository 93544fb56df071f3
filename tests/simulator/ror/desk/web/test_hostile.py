"""Texts that others choose, a customer's name, what SMT says, what is typed and what an address says, stay texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.ror.accounts.book import Customer
from simulator.ror.desk.web.calls import AT_ONCE
from tests.simulator.ror.desk.support import customer, desk_rig
from tests.simulator.ror.desk.web.test_calls import behaving
from tests.simulator.ror.desk.web.visits import visiting
from tests.simulator.smt.doors.web.test_hostile import _RUNNING, Looked, hostile

#: What a call's page is made of besides; everything else came from a text.
_TOO = {"details", "summary", "figure", "figcaption", "line", "g", "text", "polyline", "polygon", "circle"}


def looked(page: str) -> tuple[list[str], list[str]]:
    """What of a page a browser would make more of than text, and we did not write; and its texts."""
    ours = Looked(page.replace('"/desk/', '"/ui/'))
    return [one for one in ours.strange if one.split(" ")[0] not in _TOO or "('on" in one], ours.texts


def strange(page: str) -> list[str]:
    return looked(page)[0]


def called(name: str, number: int) -> Customer:
    made = customer(f"A-{number:04d}", f"{10443720000000000 + number}")
    entry = made.entry.model_copy(update={"customer_name": name})
    return Customer(entry, made.reading_days, made.plans, made.bills, made.payments)


async def test_names_of_customers_stay_texts(tmp_path: Path) -> None:
    texts = [text[:100] for text in hostile()[:400]]
    people = tuple(called(text, number) for number, text in enumerate(texts))
    shown = set[str]()
    async with desk_rig(tmp_path, customers=people) as rig, visiting(rig) as visit:
        for start in range(0, len(texts), 10):
            page = (await visit.http.get("/desk/", params={"q": f"A-{start // 10:03d}"})).text
            odd, its = looked(page)
            assert odd == []
            shown.update(its)
        for number in range(0, len(texts), AT_ONCE):
            page = (await visit.get(f"/desk/accounts/A-{number:04d}")).text
            assert strange(page) == []
    assert {text.strip() for text in texts} <= {text.strip() for text in shown}


async def test_what_smt_says_and_what_is_typed_stays_text(tmp_path: Path) -> None:
    ack: dict[str, Any] = {"statusCode": "1", "correlationId": None}
    async with desk_rig(tmp_path, behaving(ack=ack)) as rig, visiting(rig) as visit:
        for minute, text in enumerate(_RUNNING, start=1):
            ack |= {"statusReason": text, "refusal": {"code": text, "reason": f'">{text}', "retryAt": None}}
            at = await visit.take()
            await rig.to(f"2026-08-12T{17 + (40 + minute) // 60}:{(40 + minute) % 60:02d}")
            said = (await visit.get(at)).text
            odd, its = looked(said)
            assert any(text in one for one in its), text
            assert odd == []
            assert "Traceback" not in said
            told = [await visit.log_in(f'">{text}', "x", next=text)]
            await visit.log_in()
            for name, path in (("q", "/desk/"), ("call", "/desk/accounts/A-1001"), ("next", "/desk/login")):
                told.append(await visit.http.get(path, params={name: f'">{text}'}))
            told.append(await visit.post("/desk/accounts/A-1001/call", question=f'">{text}', patience_s=text))
            told.append(await visit.post("/desk/accounts/A-1001/ask", call=f'">{text}'))
            for reply in told:
                assert strange(reply.text) == []
                assert "Traceback" not in reply.text
