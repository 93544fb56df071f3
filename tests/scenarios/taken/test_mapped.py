"""What an archive's entries become, one situation at a time: actions, what each expects, what is part of another's, and what is left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from scenarios.file.lint import load_sound
from scenarios.file.schema import Scenario
from scenarios.file.shipped import SCENARIOS
from scenarios.taken.har import har_exchanges
from scenarios.taken.mapped import Mapped, mapped
from scenarios.taken.names import Names
from scenarios.taken.taken import USUAL
from tests.scenarios.taken.archive import BEFORE, DONE, ESIID, OTHER, PENDING, READ, entry

Entry = dict[str, Any]
LOOK, ASK, ODR, STATUS = "/api/usage/latestodrread", "/api/ondemandread", "/v2/odr/", "/v2/odrstatus/"
TAKEN = {"data": {"RequestStatus": "PENDING"}}
TURNED_AWAY = {"data": {"RequestStatus": "FLR", "statusCode": "5031"}}
DAYS = {"startDate": "11/01/2026", "endDate": "11/02/2026"}


def look(after_s: float, told: Any) -> Entry:
    return entry(after_s, LOOK, {"ESIID": ESIID}, told)


def ask(after_s: float, told: Any = TAKEN, **more: Any) -> Entry:
    return entry(after_s, ASK, READ, told, **more)


def bearing(one: Entry, credentials: str, **asked: Any) -> Entry:
    """An entry with other credentials, and what else is otherwise of what was asked."""
    head = [it for it in one["request"]["headers"] if it["name"] != "Authorization"]
    one["request"] |= {"headers": [*head, {"name": "Authorization", "value": credentials}], **asked}
    return one


def log_in(after_s: float, who: str = "acme.api", token: str = "tok-a") -> Entry:
    return entry(after_s, "/v2/token/", {"username": who, "password": "geheim1"}, {"accessToken": token})


def order(after_s: float, path: str, told: Any, token: str = "tok-a", status: int = 200, **more: Any) -> Entry:
    body = {"trans_id": "1", "requestorID": "acme.api", "requesterType": "REP"}
    body |= {"requesterAuthenticationID": "1234567890123", "SMTTermsandConditions": "Y"}
    return bearing(entry(after_s, path, body | more, told, status=status), f"Bearer {token}")


def odr(after_s: float, told: Any, **more: Any) -> Entry:
    return order(after_s, ODR, told, ESIID=ESIID, readType="REGISTER", **more)


TAKEN_ON = {"correlationId": "7", "statusCode": "0"}


def poll(after_s: float, code: str) -> Entry:
    return order(after_s, STATUS, {"statusCode": code}, correlationId="7")


@pytest.fixture(scope="module")
def base() -> Scenario:
    return load_sound(SCENARIOS.named(USUAL))


def of(base: Scenario, *entries: Entry) -> Mapped:
    seen = har_exchanges({"log": {"entries": list(entries)}}, "a file")
    return mapped(seen, Names(base, seen, timedelta(0)))


#: By situation: the entries, and the actions that they become, without their expectations if those are named last.
READS: dict[str, tuple[list[Entry], list[dict[str, Any]], int]] = {
    "a request that broke after a look has failed": (
        [look(0, BEFORE), ask(1, None, status=503)],
        [{"expect": {"outcome": "failed"}}],
        1,
    ),
    "one that is turned away at once": ([ask(0, TURNED_AWAY)], [{"expect": {"outcome": "refused", "refusal": "5031"}}], 0),
    "home automation looks on though it was turned away": (
        [ask(0, TURNED_AWAY), look(15, DONE)],
        [{"client": "home_automation", "expect": {"outcome": "answered"}}],
        1,
    ),
    "a hasty client looks at once, and takes what it is shown": (
        [ask(0), look(2, PENDING), look(17, DONE)],
        [{"client": "home_assistant", "expect": {"outcome": "answered"}}],
        2,
    ),
    "a read that failed on its way says how": (
        [ask(0), look(15, PENDING), look(30, {"data": {"odrstatus": "T-FAILED"}})],
        [{"expect": {"outcome": "failed", "status": "T-FAILED"}}],
        2,
    ),
    "no read is shown where one was asked for": ([ask(0), look(15, BEFORE)], [{"expect": {"outcome": "failed"}}], 1),
    "a register that is no number is no answer": (
        [ask(0), look(15, {"data": {"odrstatus": "COMPLETED", "odrread": "x", "odrdate": "y"}})],
        [{"polls": 1, "expect": {"outcome": "unanswered"}}],
        1,
    ),
    "a client of another pace that gave up": (
        [ask(0), *(look(10 * turn, PENDING) for turn in (1, 2, 3))],
        [{"poll_s": 10, "polls": 3, "expect": {"outcome": "unanswered"}}],
        3,
    ),
    "two requests, each with the looks of its own pace": (
        [ask(0), look(15, PENDING), look(30, PENDING), ask(31), look(45, DONE), look(46, DONE)],
        [{"expect": {"outcome": "answered"}}, {"expect": {"outcome": "answered"}}],
        4,
    ),
    "a look just before the next request is that one's": (
        [ask(0), look(15, PENDING), look(100, PENDING), ask(101), look(131, DONE)],
        [{"polls": 1, "expect": {"outcome": "unanswered"}}, {"poll_s": 30, "expect": {"outcome": "answered"}}],
        3,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "actions", "folded"), READS.values(), ids=READS)
def test_a_read_at_the_portal_ends_as_its_client_saw_it(
    base: Scenario, entries: list[Entry], actions: list[dict[str, Any]], folded: int
) -> None:
    found = of(base, *entries)
    assert [one.action for one in found.carried] == [{"do": "portal_read", **one} for one in actions]
    assert (found.folded, found.left) == (folded, [])


#: Requests of the market API, their polls, and what is expected of the action, with what is noted.
ORDERS: dict[str, tuple[list[Entry], dict[str, Any], list[str]]] = {
    "answered": ([odr(1, TAKEN_ON), poll(6, "PEN"), poll(11, "0")], {"expect": {"outcome": "answered"}}, []),
    "failed, by a client that looks every ten seconds": (
        [odr(1, TAKEN_ON), poll(11, "1")],
        {"poll_s": 10, "expect": {"outcome": "failed"}},
        [],
    ),
    "refused": (
        [odr(1, {"statusCode": "1", "refusal": {"code": "FR-CR016.1"}})],
        {"expect": {"outcome": "refused", "refusal": "FR-CR016.1"}},
        [],
    ),
    "broken": ([odr(1, {}, status=503)], {"expect": {"outcome": "failed"}}, []),
    "without its end": ([odr(1, TAKEN_ON)], {"expect": {"outcome": "unanswered"}}, ["its end is not in the file"]),
}


@pytest.mark.parametrize(("entries", "action", "notes"), ORDERS.values(), ids=ORDERS)
def test_a_request_at_the_market_api_ends_as_its_polls_tell(
    base: Scenario, entries: list[Entry], action: dict[str, Any], notes: list[str]
) -> None:
    found = of(base, log_in(0), *entries)
    (one,) = found.carried
    assert one.action == {"do": "on_demand_read", **action}
    assert (one.notes, found.folded) == (notes, len(entries))


USUAL_READ = {"reportFormat": "JSON", "deliveryMode": "API", **DAYS}


def test_usage_of_some_days_is_read_as_the_action_does(base: Scenario) -> None:
    more: dict[str, Any] = {"esiid": [ESIID], "version": "A", "readingType": "G", **USUAL_READ}
    (one,) = of(base, log_in(0), order(1, "/v2/dailyreads/", {}, **more)).carried
    usage = {"what": "daily", "first": "2026-11-01", "last": "2026-11-02", "revisions": "all", "channel": "G"}
    assert one.action == {"do": "usage_read", **usage, "expect": {"status": 200}}


@pytest.mark.parametrize(
    "asked",
    [
        {"esiid": ESIID, "startDate": "11/02/2026", "endDate": "11/01/2026"},
        {"esiid": ESIID, "startDate": "13/41/2026", "endDate": "11/02/2026"},
        {"esiid": [ESIID], **DAYS},
        {"esiid": ESIID, **DAYS, "more": 1},
        {"esiid": ESIID},
        {"esiid": 7, **DAYS},
    ],
)
def test_usage_that_the_action_would_not_ask_for_so_is_a_call_as_it_was_written(
    base: Scenario, asked: dict[str, Any]
) -> None:
    (one,) = of(base, entry(0, "/api/usage/daily", asked, {})).carried
    assert (one.action["do"], one.action["login"], one.action["expect"]) == ("http", "customer.one", {"status": 200})
    assert one.action["body"].keys() == asked.keys()


@pytest.mark.parametrize("more", [{"version": "Z"}, {"readingType": "X"}, {"deliveryMode": "FTP"}])
def test_a_market_read_with_another_order_is_a_call_as_it_was_written(base: Scenario, more: dict[str, str]) -> None:
    whole: dict[str, Any] = {"esiid": [ESIID], "version": "L", "readingType": "C", **USUAL_READ} | more
    (one,) = of(base, log_in(0), order(1, "/v2/dailyreads/", {}, **whole)).carried
    assert one.action["do"] == "http"
    assert one.action["body"].items() >= more.items()
    assert one.action["body"]["requestorID"] == "pecanbend.api"


def test_of_two_meters_no_action_reads_at_once(base: Scenario) -> None:
    (one,) = of(base, entry(0, "/api/adhoc/intervalsynch", {"ESIID": [ESIID, OTHER], **DAYS}, {})).carried
    assert (one.action["do"], one.action["body"]["ESIID"]) == ("http", ["$esiid", "$esiid_2"])


def test_a_number_of_another_meter_stays_wrong(base: Scenario) -> None:
    wrong = entry(1, ASK, READ | {"MeterNumber": "111222333"}, TURNED_AWAY)
    first, second = of(base, ask(0, TURNED_AWAY), wrong).carried
    assert (first.action["do"], second.action["do"]) == ("portal_read", "http")
    assert second.action["body"]["MeterNumber"] != "$meter_number"


def test_who_is_cut_off_tries_once_more_by_itself(base: Scenario) -> None:
    found = of(base, *(entry(0, "/api/premise", {"esiid": ESIID}, status=0) for _ in range(2)))
    (one,) = found.carried
    assert (one.action["expect"], found.folded) == ({"status": {"absent": True}}, 1)


def test_a_dead_token_that_is_tried_again_with_a_new_one_is_part_of_that_call(base: Scenario) -> None:
    dead, again = (order(at, "/v2/x/", {}, token, status) for at, token, status in ((1, "tok-0", 401), (3, "tok-b", 200)))  # fmt: skip
    found = of(base, log_in(0), dead, log_in(2, token="tok-b"), again)
    assert [(one.entry, one.action["do"]) for one in found.carried] == [(1, "log_in"), (4, "http")]
    assert found.folded == 2


def test_a_log_in_whose_token_is_borne_later_is_an_action_and_one_without_a_password_a_call(base: Scenario) -> None:
    found = of(base, log_in(0), order(60, "/v2/x/", {}), entry(90, "/v2/token/", {"username": "acme.api"}, {}, status=400))  # fmt: skip
    assert [one.action["do"] for one in found.carried] == ["log_in", "http", "http"]
    assert found.carried[0].action["expect"] == {"status": 200, "let_in": 1}
    assert found.carried[2].action["expect"] == {"status": 400}


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (entry(0, "/control/clock/advance", {"seconds": 1}, {}), "the clock is the scenario's own"),
        (bearing(entry(0, "/api/premise"), "Bearer x", method="POST", bodySize=7), "the file does not have what was sent"),
        (entry(0, "/assets/logo.png"), "it is no call that a test bed serves"),
        (order(0, "/v2/missing/", {}, requestorID="wires", requesterType="TDSP"), "it is a TDSP's"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_says_why(base: Scenario, one: Entry, why: str) -> None:
    found = of(base, one)
    assert (found.carried, [left.why for left in found.left]) == ([], [why])


def test_a_third_retailer_has_no_place(base: Scenario) -> None:
    entries = []
    for turn in range(3):
        token, who = f"tok-{turn}", f"acme-{turn}.api"
        entries += [log_in(9 * turn, who, token), odr(9 * turn + 1, {"statusCode": "1"}, token=token, requestorID=who)]
    found = of(base, *entries)
    assert [one.action.get("login") for one in found.carried] == [None, "saltfork.api"]
    assert [left.why for left in found.left] == ["it is of a third retailer; a world has two"]


def test_a_call_at_another_service_bears_that_ones_key_and_no_secret(base: Scenario) -> None:
    calls = [
        entry(0, "/inquiries", {"a": 1}, {}, status=202),
        entry(1, "/events", {"a": [1, {"password": "geheim1"}]}, {}),
        entry(2, "/calls", {"question": "it costs $5"}, {}),
    ]
    found = of(base, *calls).carried
    assert [(one.action["to"], one.action["login"]) for one in found] == [
        ("headend", "smt"),
        ("headend", "meters"),
        ("desk", "desk.agent"),
    ]
    assert [one.action["body"] for one in found] == [{"a": 1}, {"a": [1, {}]}, {"question": "it costs $$5"}]
    assert [bool(one.notes) for one in found] == [False, True, False]


def test_a_form_a_method_and_credentials_that_nobody_was_given_are_kept_as_such(base: Scenario) -> None:
    kind = "application/x-www-form-urlencoded"
    params = [{"name": "a", "value": "1"}, {"name": "password", "value": "geheim1"}]
    form = entry(0, "/v2/x/", "", status=415)
    form["request"] |= {
        "postData": {"mimeType": kind, "params": params},
        "headers": [{"name": "Content-Type", "value": f"{kind}; charset=utf-8"}],
    }
    basic = bearing(entry(1, f"/v2/x/?ESIID={ESIID}", status=401), "Basic abc")
    delete = bearing(entry(2, "/control/faults/fault-1"), "Bearer tok-1", method="DELETE")
    said = [one.action for one in of(base, form, basic, delete).carried]
    assert (said[0]["body"], said[0]["headers"]) == ("a=1&password=", {"Content-Type": kind})
    assert (said[1]["path"], said[1]["headers"]) == ("/v2/x/?ESIID=$esiid", {"Authorization": "Bearer dropped"})
    assert [one.get("method") for one in said] == [None, "GET", "DELETE"]
