"""What both doors take for days, ESI IDs and requesters, and how they tell a refusal."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from meters.calendar import epoch, local, seconds
from simulator.smt.doors.both.asked import asked_by, dates_asked
from simulator.smt.doors.both.bodies import Asking, day_asked, listed
from simulator.smt.doors.both.refusal import wire_refusal
from simulator.smt.doors.both.usage_reads import _batches
from simulator.smt.errors import BusinessError
from simulator.smt.registry.records import User, UserKind
from simulator.smt.throttle.decision import Refusal

TODAY = date(2026, 8, 12)


@pytest.mark.parametrize(
    ("start", "end", "code", "said"),
    [
        ("2026-08-11", "08/11/2026", "INVALID-DATE", "startDate"),
        ("08/11/2026", "02/30/2026", "INVALID-DATE", "endDate"),
        ("08/12/2026", "08/11/2026", "DATE-ORDER", "08/12/2026"),
        ("08/11/2024", "08/11/2026", "HISTORY", "08/12/2024"),
    ],
)
def test_days_that_cannot_be_asked_for_have_a_code_and_say_which(start: str, end: str, code: str, said: str) -> None:
    with pytest.raises(BusinessError) as refused:
        dates_asked(start, end, TODAY)
    assert refused.value.code == code
    assert said in str(refused.value.body())


def test_history_goes_back_two_years_and_a_future_day_is_today() -> None:
    assert dates_asked("08/12/2024", "12/31/9999", TODAY) == (date(2024, 8, 12), TODAY)
    # Of 29 February there is none two years ago.
    assert dates_asked("02/28/2022", "02/28/2024", date(2024, 2, 29))[0] == date(2022, 2, 28)


def test_a_long_range_is_read_a_month_at_a_time() -> None:
    days = date(2026, 1, 1), date(2026, 3, 4)
    assert list(_batches(*days)) == [
        (date(2026, 1, 1), date(2026, 1, 31)),
        (date(2026, 2, 1), date(2026, 3, 3)),
        (date(2026, 3, 4), date(2026, 3, 4)),
    ]


@pytest.mark.parametrize(
    ("value", "meant"),
    [("1", ["1"]), (["1", "2"], ["1", "2"]), ([{"esiid": "1"}, "2", {}], ["1", "2", None]), (7, 7)],
)
def test_an_esi_id_stands_for_a_list_of_one(value: object, meant: object) -> None:
    assert listed(value) == meant


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"requesterType": "REP"}, "requesterAuthenticationID"),
        ({"requesterType": "RES", "requestorID": "a\0b"}, "requestorID"),
        ({"requesterType": "other"}, "requesterType"),
    ],
)
def test_an_order_at_fault_names_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Asking.model_validate({"trans_id": "1", "requestorID": "a"} | fields)
    assert [one["loc"] for one in refused.value.errors()] == [(field,)]


def test_who_asks_for_an_esi_id_of_their_own_needs_no_duns_number() -> None:
    asked = {"trans_id": "1", "requestorID": "a", "requesterType": "RES", "beyond": 1}
    assert Asking.model_validate(asked).requesterAuthenticationID is None


@pytest.mark.parametrize("value", ["1786500000", 1786500000, "12.8.", "9999-12-31", "2026-08-12T00:00"])
def test_a_querys_day_is_no_number(value: object) -> None:
    with pytest.raises(ValueError, match="write it as 2026-08-12"):
        day_asked(value)


def test_a_querys_day_may_be_left_out() -> None:
    assert [day_asked(value) for value in (None, TODAY, "2026-08-12")] == [None, TODAY, "2026-08-12"]


def test_a_refusal_tells_its_time_where_one_is_known_and_nothing_by_a_silent_limit() -> None:
    at = epoch("2026-08-13T00:00")
    told = wire_refusal(Refusal("L", "A rule.", at, "5031", True))
    assert told is not None
    assert (told.code, told.reason, told.retryAt) == ("L", "A rule.", local(at))
    open_end = wire_refusal(Refusal("L", "A rule.", seconds(0), "5031", True))
    assert open_end is not None
    assert open_end.retryAt is None
    assert wire_refusal(Refusal("L", "A rule.", at, "5031", False)) is None
    assert wire_refusal(None) is None


@pytest.mark.parametrize(
    ("username", "duns", "own"),
    [("a", "1", True), ("b", "1", True), ("a", "2", False), ("a", "", True), ("b", "", False)],
)
def test_a_request_is_the_entitys_or_the_customers_own(username: str, duns: str, own: bool) -> None:
    filed: Any = type("Filed", (), {"username": "a", "duns": "1"})
    user = User(username, "", UserKind.ROR if duns else UserKind.CUSTOMER, duns)
    assert asked_by(filed, user) is own
