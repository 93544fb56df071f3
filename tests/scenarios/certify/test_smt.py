"""What is seen of an SMT: each id holds for the stranger's, and fails where an exchange, or what an action left, contradicts it; our own SMT is a stranger like any other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from meters.calendar import day_start, ends_within, micros
from scenarios.actions.market.usage_read import UsageRead, _told
from scenarios.certify.judged import result_of
from scenarios.certify.observed import Observed, Step, observed
from scenarios.certify.run import Certification
from scenarios.certify.smt.looked import Looked
from scenarios.certify.smt.portal import _WRONG
from scenarios.certify.smt.seen import SEEN
from scenarios.certify.statement import load, looked_at
from scenarios.rules.certified import of_role
from simulator.tap.chain import Exchange
from simulator.verdicts import Mark
from tests.cases import few
from tests.scenarios.certify.matrix import certified, failed, names
from tests.test_rooms import ROOT

Bend = Callable[[Step], Step]
ODR, STATUS, READS, SHOWN = "/v2/odr/", "/v2/odrstatus/", "/v2/15minintervalreads/", "/api/usage/latestodrread"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """The stranger's SMT, certified."""
    out = tmp_path_factory.mktemp("smt") / "it"
    result = certified("smt", out)
    assert result["certificate"], result["why"]
    assert {one["mark"] for one in result["ids"]} == {Mark.PASSED}
    assert all(one["exchanges"] for one in result["ids"])
    return observed(out)


def _body(side: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    return side | {"body": json.dumps(change(json.loads(side.get("body", "{}"))))}


def at(path: str, change: Callable[[dict[str, Any]], dict[str, Any]], ref: str = "") -> Bend:
    """Replies of a path of the market API, of one action or of all, are otherwise."""

    def bent(one: Exchange) -> Exchange:
        its = one.ask["path"] == path and ref in ("", one.ids.get("trans_id"))
        return replace(one, reply=_body(one.reply, change)) if its else one

    return lambda step: replace(step, market=tuple(map(bent, step.market)))


def at_portal(path: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Bend:
    """What is told in the replies of a path of the portal is otherwise."""

    def bent(one: Exchange) -> Exchange:
        within = lambda body: body | {"data": change(body["data"])}  # noqa: E731
        return replace(one, reply=_body(one.reply, within)) if one.ask["path"] == path else one

    return lambda step: replace(step, portal=tuple(map(bent, step.portal)))


def by(span: str, **more: Any) -> Bend:
    """The usage that the portal tells by day or billing period is otherwise."""

    def bent(one: Exchange) -> Exchange:
        def rows(body: dict[str, Any]) -> dict[str, Any]:
            return {f"{span}Data": [row | more for row in body[f"{span}Data"]]}

        return replace(one, reply=_body(one.reply, rows)) if one.ask["path"] == f"/api/usage/{span}" else one

    return lambda step: replace(step, portal=tuple(map(bent, step.portal)))


def over(wire: str, change: Callable[[Exchange], Exchange]) -> Bend:
    """What goes over the link is otherwise."""
    return lambda step: replace(step, link=tuple(change(one) if one.wire == wire else one for one in step.link))


def asked(ref: str = "", **said: Any) -> Bend:
    """The inquiries of an action, or all, say something else."""

    def bent(one: Exchange) -> Exchange:
        its = ref in ("", one.ids.get("callReference"))
        return replace(one, ask=_body(one.ask, lambda body: body | said)) if its else one

    return over("inquiries", bent)


def answered(status: int) -> Bend:
    """The call-backs are answered otherwise."""
    return over("call-backs", lambda one: replace(one, reply=one.reply | {"status": status}))


def left(ref: str, **said: Any) -> Bend:
    """What an action left is otherwise."""

    def bent(step: Step) -> Step:
        assert step.recording is not None
        record = step.recording.actions[ref].model_copy(update=said)
        actions = step.recording.actions | {ref: record}
        return replace(step, recording=step.recording.model_copy(update={"actions": actions}))

    return bent


def codes(ref: str) -> Bend:
    """A file was answered as though all of it were loaded, and loaded as though none were."""

    def bent(step: Step) -> Step:
        assert step.recording is not None
        answers = step.recording.actions[ref].answers  # type: ignore[attr-defined]
        other = [one.model_copy(update={"code": "01" if one.code == "00" else "00"}) for one in answers]
        return left(ref, answers=other)(step)

    return bent


def both(*bends: Bend) -> Bend:
    def bent(step: Step) -> Step:
        for bend in bends:
            step = bend(step)
        return step

    return bent


def said(**more: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: body | more


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: {key: one for key, one in body.items() if key != name}


def inflated(body: dict[str, Any]) -> dict[str, Any]:
    rows = body.get("intervals") or []
    return body | {"intervals": [one | {"wh": one["wh"] + 1000} for one in rows]}


def of_the_meter(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"intervals": [one | {"source": "meter"} for one in body.get("intervals") or []]}


def one_off(body: dict[str, Any]) -> dict[str, Any]:
    rows = [row | {"RD": re.sub(r"^[^,]*", "9.999-A", row["RD"])} for row in body["energyData"]]
    return body | {"energyData": rows}


def guessed(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"energyData": [row | {"RD": row["RD"].replace("-A", "-E", 1)} for row in body["energyData"]]}


def revised(when: str | None) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: body | {"energyData": [row | {"RevTS": when} for row in body["energyData"]]}


def first_of(step: Step, path: str, ref: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Step:
    """The first reply of an action by which a request is over is otherwise; the last one stays."""
    its = [one for one in step.market if one.ask["path"] == path and one.ids.get("trans_id") == ref]
    first = next(one for one in its if json.loads(one.reply["body"])["statusCode"] != "PEN")
    assert first is not its[-1]
    market = tuple(replace(one, reply=_body(one.reply, change)) if one.n == first.n else one for one in step.market)
    return replace(step, market=market)


def last_of(ref: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Bend:
    """The last reply of an action by which a request is over is otherwise; the two before it stay."""

    def bent(step: Step) -> Step:
        *before, last = (one for one in step.market if one.ask["path"] == STATUS and one.ids.get("trans_id") == ref)
        assert sum(json.loads(one.reply["body"])["statusCode"] != "PEN" for one in before) >= 2
        market = tuple(replace(one, reply=_body(one.reply, change)) if one.n == last.n else one for one in step.market)
        return replace(step, market=market)

    return bent


def later_inquired(ref: str) -> Bend:
    """An inquiry comes when the others are answered."""

    def bent(step: Step) -> Step:
        answered = min(one.at_us for one in step.link if one.wire == "call-backs")
        late = {one.n for one in step.link if one.wire == "inquiries" and one.ids.get("callReference") == ref}
        link = tuple(replace(one, at_us=answered + micros(1)) if one.n in late else one for one in step.link)
        return replace(step, link=link)

    return bent


def shortened(step: Step) -> Step:
    """The result of a file of the days before has the first record alone."""

    def bent(one: Exchange) -> Exchange:
        rows = str(one.reply.get("body", "")).splitlines(keepends=True)
        return replace(one, reply=one.reply | {"body": "".join(rows[:2])})

    return replace(step, files=tuple(one if one.ids else bent(one) for one in step.files))


def other_loads(ref: str) -> Bend:
    """A file in a retailer's folder holds other intervals."""

    def bent(step: Step) -> Step:
        assert step.recording is not None
        files = step.recording.actions[ref].files  # type: ignore[attr-defined]
        other = [one.model_copy(update={"digest": "0"}) for one in files[0].loads]
        return left(ref, files=[files[0].model_copy(update={"loads": other}), *files[1:]])(step)

    return bent


ALLOWED, REFUSED = asked(meterAllowed=True), asked(meterAllowed=False)
TAKEN = said(correlationId="1", statusCode="0", refusal=None)
#: By id the step that is bent, and how.
BENT: dict[str, list[tuple[str, Bend]]] = {
    "SMT-LOGIN": [("errors", left("wrong-password", let_in=1)), ("errors", left("log-in", life_s=None))],
    "SMT-TOKEN": [("errors", left("no-such-token", status=200)), ("errors", left("no-token", code="bad_token"))],
    "SMT-TOKEN-LIFE": [("errors", left("token-lives", status=401)), ("errors", left("token-is-dead", status=200))],
    "SMT-ERRORS": [
        ("posted", at(READS, said(errorCode="ALL-WELL"))),
        ("posted", at("/v2/token/", said(error="No."))),
        ("rights", lambda step: replace(step, market=tuple(replace(one, reply=one.reply | {"status": 500}) for one in step.market))),
        ("posted", lambda step: replace(step, market=tuple(replace(one, reply={"status": 200, "body": "<p>"}) for one in step.market))),
    ],
    "SMT-REQUESTOR": [("errors", left("another-requestor", code=None))],
    "SMT-DUNS": [("errors", left("another-number", code="TERMS"))],
    "SMT-TERMS": [("errors", left("terms-refused", code=None))],
    "SMT-DATES": [("errors", left("a-date-in-iso", code="FIELD")), ("errors", left("dates-change-places", code=None))],
    "SMT-METER": [("errors", left("another-meter", code=None)), ("errors", left("another-meter", inquiry="1"))],
    "SMT-CORRELATION": [("errors", left("no-such-request", code=None)), ("answers", left("register", other=None))],
    "SMT-AC1": [
        ("rights", at(ODR, said(errorCode="METER"), "anothers")),
        ("rights", at(READS, said(errorCode="1"), "usage-of-anothers")),
        ("rights", at(READS, said(energyData=[{}]), "usage-of-anothers")),
    ],
    "SMT-ALIKE": [("rights", at(ODR, said(errorMessage="There is no such ESI ID."), "nobodys"))],
    "SMT-ELIGIBLE": [("rights", left("no-ams-meter", code="A2")), ("rights", left("not-in-lse", code=None))],
    "SMT-TAKEN": [("answers", at(STATUS, said(errorCode="CORRELATION"))), ("answers", at(ODR, without("statusCode")))],
    "SMT-INQUIRY": [
        ("answers", left("register", keyed=False)),
        ("answers", asked(kind="POWER")),
        ("answers", asked(answerBy="soon")),
        ("answers", lambda step: replace(step, link=())),
    ],
    "SMT-GAP": [("answers", asked(end="2026-08-12T17:45:00-05:00")), ("day-of-92", asked(start="2026-03-09T01:00:00-05:00"))],
    "SMT-48-HOURS": [
        ("gap-over-48-hours", asked(start="2026-08-10T17:15:00-05:00")),
        ("gap-over-48-hours", asked(start="2026-08-10T17:45:00-05:00")),
        ("gap-over-48-hours", at(STATUS, without("uncovered"))),
    ],
    "SMT-ANSWER-BY": [("answers", asked(answerBy="2026-08-12T17:50:00-05:00"))],
    "SMT-REFERENCE": [("answers", asked(callReference=""))],
    "SMT-ONE-A-DAY": [
        ("throttle", ALLOWED),
        ("throttle", asked("intervals-again", meterAllowed=True)),
        ("throttle", lambda step: let_in(step, "power-again", "power")),
    ],
    "SMT-ROOM": [("throttle", REFUSED)],
    "SMT-FAILED-FREE": [("throttle", asked("after-a-failure", meterAllowed=False))],
    "SMT-UNDER-WAY": [("throttle", lambda step: let_in(step, "meanwhile", "takes-long"))],
    "SMT-DAY": [("midnight", lambda step: let_in(step, "behind-midnight-in-utc", "evening"))],
    "SMT-SHARED": [("throttle", lambda step: let_in(step, "another-asks", "first"))],
    "SMT-STORE-ONLY": [("throttle", at(STATUS, said(statusCode="0"))), ("throttle", at(STATUS, said(intervals=[])))],
    "SMT-REFUSAL": [
        ("throttle", at(ODR, said(refusal={"code": "FR-CR016.1b", "reason": "r"}), "second")),
        ("throttle", at(ODR, said(refusal={"code": "c", "reason": "r", "retryAt": "2026-08-13T01:00:00-05:00"}), "second")),
    ],
    "SMT-UNCHANGED": [("answers", at(STATUS, inflated)), ("answers", lambda step: first_of(step, STATUS, "intervals", inflated)), ("answers", at(STATUS, of_the_meter))],
    "SMT-REACHES": [
        *(("answers", at(STATUS, without(name))) for name in ("missing", "reachesTo", "partial", "meterReads")),
    ],
    "SMT-QUALITY": [("answers", at(STATUS, said(quality="VEE")))],
    "SMT-READS": [
        ("answers", at(STATUS, said(odrRead={"registeredRead": 1.0, "readDate": "08/12/2026 18:10:31"}), "register")),
        ("answers", at(STATUS, without("powerStatus"), "power")),
        ("answers", lambda step: first_of(step, STATUS, "register", without("odrRead"))),
    ],
    "SMT-HOLE": [("answers", at(STATUS, said(statusCode="0")))],
    "SMT-FIRST": [("link", at(STATUS, inflated)), ("link", answered(409))],
    "SMT-LINK-KEY": [("link", answered(202))],
    "SMT-LINK-SEAL": [("link", answered(202))],
    "SMT-LATE": [("lost", at(STATUS, said(statusCode="0"))), ("lost", at(STATUS, said(intervals=[{}])))],
    "SMT-T-FAILED": [("lost", at(STATUS, said(statusCode="PEN"))), ("lost", at(STATUS, said(statusReason="FAILED: lost")))],
    "SMT-FAILED": [("link", at(STATUS, said(statusCode="0"))), ("link", at(STATUS, said(statusReason="FAILED")))],
    "SMT-SILENT": [
        ("at-once", at(STATUS, inflated, "silent")),
        ("at-once", at(STATUS, said(intervals=[]), "silent")),
        ("at-once", at(STATUS, said(odrRead={"registeredRead": 1.0, "readDate": "08/12/2026 18:15:31"}), "silent-register")),
        ("at-once", at(STATUS, said(powerStatus={"status": "OFF", "source": "event", "switchState": "UNKNOWN"}), "silent-power")),
        ("lost", at(STATUS, said(intervals=[{}]), "never")),
    ],
    "SMT-FINAL": [
        *(("at-once", last_of("one-caller", change)) for change in (inflated, said(statusCode="PEN"), without("quality"), without("gap"), without("partial"))),
        ("answers", last_of("register", said(statusReason="it is done"))),
        ("lost", last_of("never", said(statusReason="FAILED: lost"))),
    ],
    "SMT-AT-ONCE": [
        ("at-once", later_inquired("another-caller")),
        ("at-once", left("another-caller", inquiry=None)),
        ("at-once", at(ODR, said(correlationId=None, errorCode="AC1"), "a-third-caller")),
    ],
    "SMT-PEN": [("answers", at(STATUS, said(statusCode="0"))), ("answers", at(STATUS, said(statusCode="PEN")))],
    "SMT-LSE-00": [("zoo", shortened), ("zoo", codes("sound")), ("zoo", left("registers-deny-the-sum", answers=[]))],
    "SMT-LSE-01": [("zoo", codes("value-below-zero"))],
    "SMT-LSE-02": [("zoo", codes("start-in-iso"))],
    "SMT-LSE-03": [("zoo", codes("two-days-in-one")), ("zoo", left("an-interval-too-few", answers=[]))],
    "SMT-LSE-04": [("zoo", codes("to-come")), ("zoo", codes("made-in-the-future"))],
    "SMT-LSE-05": [("zoo", codes("older")), ("posted", codes("older"))],
    "SMT-LSE-F1": [("zoo", codes("too-many"))],
    "SMT-LSE-F2": [("zoo", codes("misnamed")), ("zoo", left("cut-in-a-head", answers=[]))],
    "SMT-VEE": [
        *(("posted", at(READS, guessed, f"read{which}")) for which in ("", "-5")),
        *(("posted", at(READS, revised(when), "read-4")) for when in ("01/01/1970 00:00:00", "08/12/2026 18:40:00", "soon", None)),
        ("posted", at(READS, one_off, "read")), ("day-of-92", at(READS, said(energyData=[])))],
    "SMT-REVISION": [("posted", left("read-again", kwh="25")), ("posted", left("read-once-more", records=0))],
    "SMT-SPLIT": [("posted", left("new-retailers-folder", files=[])), ("posted", other_loads("old-retailers-folder"))],
    "SMT-PT-LOGIN": [("portal", left("customer", let_in=0)), ("portal", left("wrong-password", let_in=1)), ("portal", left("nobody", status=200))],
    "SMT-PT-TOKEN": [("portal", left("no-token", status=200)), ("portal", left("no-such-token", status=200))],
    "SMT-PT-METERS": [("portal", left("meters", values={"/data": 8}))],
    "SMT-PT-RECORD": [("portal", left("meter", serial_number="ATB1")), ("portal", left("premise", address=None)), ("portal", left("devices", devices=0))],
    "SMT-PT-USAGE": [
        ("portal", at_portal("/api/adhoc/intervalsynch", lambda data: one_off(data) if "energyData" in data else data)),
        ("portal-day-of-92", at_portal("/api/adhoc/intervalsynch", said(energyData=[]))),
        ("portal-day-of-100", lambda step: replace(step, portal=())),
    ],
    "SMT-PT-DAILY": [("portal", by("daily", reading=1.0)), ("portal", by("daily", endreading="1.000")), ("portal-day-of-100", by("daily", startreading=""))],
    "SMT-PT-MONTHLY": [("portal", by("monthly", actl_kwh_usg=1.0)), ("portal", by("monthly", enddate="08/10/2026")), ("portal", lambda step: replace(step, portal=()))],
    "SMT-PT-DASHBOARD": [("portal", left("dashboard", values={"/data/latestDate": "08/10/2026"}))],
    "SMT-PT-REVISED": [("portal", left("intervals-again", kwh="25")), ("portal", left("days-again", kwh=None))],
    "SMT-PT-OWN": [
        ("portal", left("anothers-intervals", records=1)),
        ("portal", left("anothers-days", records=1)),
        ("portal", left("anothers-period", records=1)),
        ("portal", left("anothers-premise", address="100 PECAN BEND LN")),
        ("portal", left("anothers-meter", values={"/data": 1})),
        ("portal-reads", left("anothers", inquiry="1")),
    ],
    "SMT-PT-DAYS": [("portal", left(ref, code=None)) for ref in ("a-date-in-iso", "days-change-places", "thirty-one-days")],
    "SMT-PT-READ": [
        ("portal-reads", at_portal(SHOWN, said(odrread="1.000"))),
        ("portal-reads", at_portal(SHOWN, said(odrdate="08/12/2026 00:00:00"))),
        ("portal-reads", asked(kind="INTERVALS")),
        ("portal-reads", lambda step: replace(step, link=())),
    ],
    "SMT-PT-PENDING": [("portal-reads", at_portal(SHOWN, said(odrstatus="COMPLETED")))],
    "SMT-PT-FAILED": [("portal-reads", at_portal(SHOWN, said(odrstatus="COMPLETED")))],
    "SMT-PT-REFUSED": [("portal-reads", at_portal("/api/ondemandread", said(statusCode="5031"))), ("portal-reads", left("customer-behind-the-retailer", inquiry="1"))],
    "SMT-PT-OTHERS": [("portal-reads", left("another-looks", values={"/data/odrstatus": "COMPLETED", "/data/odrread": None}))],
    "SMT-PT-SHARED": [("portal-reads", lambda step: let_in(step, "retailer-behind-the-customer"))],
}  # fmt: skip


def let_in(step: Step, ref: str, like: str = "") -> Step:
    """A request that was refused is taken, and inquired of as another one was, or the first one."""
    step = at(ODR, TAKEN, ref)(step)
    one, *_ = (each for each in step.link if each.wire == "inquiries" and like in ("", each.ids.get("callReference")))
    new = replace(one, ask=_body(one.ask, said(correlationId="1")))
    step = replace(step, link=(*step.link, new))
    return left(ref, inquiry="1", key="1", made=[], keyed=True)(step)


@pytest.mark.long
@pytest.mark.process
def test_an_id_of_an_smt_holds_as_it_was_and_fails_where_it_was_otherwise(honest: Observed) -> None:
    assert set(BENT) == {one.id for one in of_role("smt")}
    for ident, bends in BENT.items():
        assert {one.held for one in SEEN[ident](Looked(honest))} == {True}, ident
        for number, (name, bend) in enumerate(bends):
            steps = tuple(bend(one) if one.name == name else one for one in honest.steps)
            found = [one.held for one in SEEN[ident](Looked(replace(honest, steps=steps)))]
            assert False in found, (ident, number)


#: Ids of which nothing is seen where no call-back came; the further ones where no inquiry came; and those where nobody asked at the market API.
WITHOUT_CALL_BACKS = {
    *("SMT-UNCHANGED", "SMT-REACHES", "SMT-QUALITY", "SMT-READS", "SMT-HOLE", "SMT-FIRST", "SMT-LINK-KEY", "SMT-LINK-SEAL"),
    *("SMT-LATE", "SMT-FAILED", "SMT-PEN", "SMT-PT-PENDING", "SMT-PT-FAILED"),
}  # fmt: skip
WITHOUT_INQUIRIES = WITHOUT_CALL_BACKS | {
    *("SMT-GAP", "SMT-48-HOURS", "SMT-ANSWER-BY", "SMT-REFERENCE", "SMT-ROOM", "SMT-FAILED-FREE", "SMT-T-FAILED", "SMT-SILENT"),
}  # fmt: skip
WITHOUT_REQUESTS = WITHOUT_CALL_BACKS - {"SMT-LINK-KEY", "SMT-LINK-SEAL", "SMT-PT-FAILED"} | {
    *("SMT-ERRORS", "SMT-AC1", "SMT-INQUIRY", "SMT-ONE-A-DAY", "SMT-ROOM", "SMT-FAILED-FREE", "SMT-UNDER-WAY", "SMT-DAY"),
    *("SMT-SHARED", "SMT-STORE-ONLY", "SMT-REFUSAL", "SMT-T-FAILED", "SMT-PT-READ", "SMT-PT-SHARED"),
}  # fmt: skip


def lacking(*wires: str) -> Bend:
    """Nothing went over some wires of the link."""
    return lambda step: replace(step, link=tuple(one for one in step.link if one.wire not in wires))


def left_by_nobody(step: Step) -> Step:
    assert step.recording is not None
    return replace(step, market=(), portal=(), link=(), recording=step.recording.model_copy(update={"actions": {}}))


@pytest.mark.long
@pytest.mark.process
def test_of_what_did_not_come_about_nothing_is_said_to_hold(honest: Observed) -> None:
    def seen(bend: Bend) -> dict[str, list[bool | None]]:
        looked = Looked(replace(honest, steps=tuple(map(bend, honest.steps))))
        return {ident: [one.held for one in see(looked)] for ident, see in SEEN.items()}

    for bend, nothing in (
        (lacking("call-backs"), WITHOUT_CALL_BACKS),
        (lacking("call-backs", "inquiries"), WITHOUT_INQUIRIES),
        (lambda step: replace(step, market=(), portal=()), WITHOUT_REQUESTS),
    ):
        found = seen(bend)
        assert {ident: found[ident] for ident in nothing if found[ident]} == {}
    # An SMT at which nobody did anything has no id.
    assert not any(True in held for held in seen(left_by_nobody).values())


@pytest.mark.process
@pytest.mark.parametrize("mutant", few(2, ["OWN-BY-TODAY", "PORTAL-HOURLY", "PER-RETAILER"]))
def test_a_mutant_fails_the_ids_that_it_names_and_no_other(tmp_path: Path, mutant: str) -> None:
    """One of each table. All of them: make certify-mutants."""
    found = certified("smt", tmp_path / "it", mutant, only=tuple(sorted(names("smt", mutant))))
    assert failed(found) == names("smt", mutant)


@cache
def ours() -> str:
    """The statement of our own SMT, as the page has it."""
    page = (ROOT / "docs" / "certify-your-system.md").read_text("utf-8")
    (found,) = re.findall(r"```yaml\n# own-smt.yaml\n(.*?)```", page, re.DOTALL)
    return str(found)


@pytest.mark.long
@pytest.mark.process
def test_our_smt_is_as_a_strangers_must_be(tmp_path: Path) -> None:
    """By its command, its clock moved, its files by FTPS."""
    written, only = (
        tmp_path / "sut.yaml",
        ("SMT-ONE-A-DAY", "SMT-UNCHANGED", "SMT-REVISION", "SMT-PT-READ", "SMT-PT-METERS"),
    )
    written.write_text(ours(), "utf-8")
    said = load(written)
    assert not Certification(said, ours(), tmp_path / "out", only, lambda _done, _of: None, lambda _u, _b: None).go()
    marks = {one["id"]: one["mark"] for one in result_of(said, observed(tmp_path / "out"))["ids"]}
    assert set(marks.values()) <= {Mark.PASSED, Mark.SKIPPED}
    seen = {ident for ident, mark in marks.items() if mark == Mark.PASSED}
    assert {
        *only,
        "SMT-ROOM",
        "SMT-SHARED",
        "SMT-READS",
        "SMT-SPLIT",
        "SMT-VEE",
        "SMT-PT-SHARED",
        "SMT-PT-OWN",
        "SMT-PT-DAILY",
    } <= seen


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  api: http://127.0.0.1:{port}\n", "", "An SMT is asked."),
        ("  ftps: 127.0.0.1:{ftps_port}\n", "", "a file site, or a folder"),
        ('  ca: "{work}/smt/tls/ca.pem"\n', "", "certificate the file site shows"),
        ("  each: step", "  each: plan", "begins each step with nothing"),
        ("claims:", "serves: [{esiid: '10443720000000017', meter_number: '1'}]\nclaims:", "ESI IDs of ours"),
        ("ftps: 127.0.0.1:{ftps_port}", "ftps: ftps://there", "ftps"),
    ],
)
def test_what_does_not_fit_an_smt_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    written = tmp_path / "sut.yaml"
    assert old in ours()
    written.write_text(ours().replace(old, new), "utf-8")
    said, mistakes = looked_at(written)
    assert said is None
    assert told in " ".join(f"{one.error.message} {one.error.place} {one.error.mend}" for one in mistakes)


@pytest.mark.parametrize(
    "told", [None, 5, "no", [None], [[]], [{}], [{"date": 5, "DT": 5, "RT": "C", "RD": 5, "startdate": []}]]
)
@pytest.mark.parametrize("what", ["15_minute", "interval", "daily", "monthly"])
def test_rows_of_usage_that_are_none_are_told_as_wrong(what: Literal["15_minute", "interval"], told: Any) -> None:
    days: dict[str, Any] = {"first": date(2026, 8, 10), "last": date(2026, 8, 11)}
    action = UsageRead.model_construct(None, door="portal", what=what, **days)
    first, last = action.days
    held = {int(end): (250, 0) for end in ends_within(day_start(first), day_start(last + timedelta(days=1)))}
    _, wrong = _WRONG[what]
    names = ("energyData", "intervaldata", "dailyData", "monthlyData")
    assert wrong(
        {"data": dict.fromkeys(names, told), **dict.fromkeys(names, told)},
        action,
        held | {int(day_start(first)): (0, 0)},
    )
    reply = httpx.Response(
        200, json={"data": dict.fromkeys(names, told)} if what == "15_minute" else dict.fromkeys(names, told)
    )
    assert list(_told(action, reply)) == []
