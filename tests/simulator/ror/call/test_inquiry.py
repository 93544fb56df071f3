"""The Customer Balance Inquiry as a process: each branch ends, tells what it knows, and marks what it does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from fastapi.responses import JSONResponse, Response

from meters.calendar import Seconds, ends_within, epoch, seconds
from simulator.ror.account import Account
from simulator.ror.billing.money import money
from simulator.ror.billing.plan import RatePlan, shipped_plan
from simulator.ror.billing.sheet import LineKind
from simulator.ror.call.analysis import Question
from simulator.ror.call.answer import ToldOn
from simulator.ror.call.basis import Kind
from simulator.ror.call.inquiry import CallResult, balance_inquiry, power_inquiry
from simulator.ror.call.on_demand import OnDemand, RequestEnd
from simulator.ror.call.rebill import Rebill, rebill
from simulator.ror.call.stand import bill_at, take_stand
from simulator.ror.client import SmtClient
from simulator.ror.pattern import Outdoors, hourly_pattern, weather_of
from simulator.ror.usage import Source
from simulator.runtime.driver import Runtime
from tests.simulator.ror.support import ACCOUNT, CALL, ESIID, PATIENCE_S, Notes, Portal, run_call, vee_record, wh_of

PLAN = shipped_plan("longhorn-thousand-24")
NO_DATA = {"errorCode": "1", "errorMessage": "No data"}
NOT_OURS = {"errorCode": "AC1", "errorMessage": "The ESI ID is not known, or it is not yours on the days in question."}
REFUSAL = {
    "code": "FR-CR016.1b",
    "reason": "One successful meter read request per ESI ID and day",
    "retryAt": "2026-08-13T00:00:00-05:00",
}


def call(
    question: Question = Question.BALANCE,
    give_up_s: Seconds = seconds(600),
    account: Account = ACCOUNT,
    plan: RatePlan = PLAN,
) -> Callable[[Runtime, SmtClient, Notes], Generator[Any, Any, CallResult]]:
    def process(runtime: Runtime, client: SmtClient, notes: Notes) -> Generator[Any, Any, CallResult]:
        return balance_inquiry(
            runtime, client, account, plan, question, "call-0001", PATIENCE_S, seconds(15), notes, give_up_s=give_up_s
        )

    return process


def test_the_whole_gap_comes_back_and_the_bill_is_told_in_time() -> None:
    result, portal, notes = run_call(call())
    assert result.decision.needs_more
    assert result.request.end is RequestEnd.ANSWERED
    assert result.request.polls == 5
    assert (result.usage.count_of(Source.STORE), result.usage.count_of(Source.METER)) == (64, 6)
    assert result.answer.told_on is ToldOn.WHOLE_GAP
    assert result.answer.marks == ()
    assert (result.told_at - result.asked_at, result.before_hang_up) == (75, True)
    assert notes.kinds() == [
        "S1.called",
        "S2.decided",
        "S6.instant",
        "S3.requested",
        "S4.ended",
        "S6.told",
        "S7.outcome",
    ]
    odr = next(body for path, body in portal.seen if path == "v2/odr/")
    assert (odr["readType"], odr["callReference"], odr["requesterType"]) == ("INTERVALS", "call-0001", "REP")


def test_bill_with_the_gap_has_exactly_the_energy_of_the_gap_more() -> None:
    result, _, _ = run_call(call())
    told, before = result.answer.with_gap, take_stand(ACCOUNT, PLAN, result.usage.vee())
    assert told is not None
    assert before is not None
    gap_wh = sum(interval.wh for interval in (result.request.status.intervals if result.request.status else None) or [])
    assert told.bill.usage_wh - before.bill.usage_wh == gap_wh > 0
    assert (told.to, before.to) == (epoch("2026-08-12T17:30"), epoch("2026-08-12T00:00"))
    assert (told.bill.days, before.bill.days) == (28, 27)


def test_the_caller_is_told_at_once_what_is_owed_by_now_and_how_sure_that_is() -> None:
    result, _, _ = run_call(call())
    first, told = result.answer.instant, result.answer.told
    assert first is not None
    assert told is not None
    assert (result.instant_at, result.told_at) == (CALL, CALL + 75)
    assert (first.to, first.known_to) == (told.to, epoch("2026-08-12T00:00"))
    # Without the gap it would be 23.880 kWh less, at 19.5 c and tax.
    assert first.owed.low < told.bill.total < first.owed.high
    assert abs(first.bill.total - told.bill.total) < Decimal("0.50")
    assert first.owed.middle == first.bill.total
    sentence = result.instant.sentences[0]
    assert sentence.startswith(
        f"You owe about ${first.bill.total} by now (${first.owed.low} to ${first.owed.high} in eight of ten)"
    )
    assert result.answer.sentences[0].startswith(f"You owe ${told.bill.total} by now, with tax: for this cycle to")
    assert told.owed.low == told.owed.high == told.bill.total


def test_what_is_due_from_before_is_in_what_is_owed() -> None:
    account = ACCOUNT.model_copy(update={"payments": ()})
    result, _, _ = run_call(call(account=account))
    told = result.answer.told
    assert told is not None
    of_it = f"${told.bill.total} for this cycle to 2026-08-12 17:30 and $131.07 from before due 2026-08-02, past due."
    assert result.answer.sentences[0] == f"You owe ${told.bill.total + Decimal('131.07')} by now, with tax: {of_it}"


def test_the_call_is_the_same_twice_to_the_byte() -> None:
    texts = [json.dumps(run_call(call())[0].to_dict()) for _ in range(2)]
    assert texts[0] == texts[1]


def test_the_record_of_a_call_is_json_without_a_float() -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    json.loads(json.dumps(run_call(call())[0].to_dict(), allow_nan=False), parse_float=refuse)


def test_refused_at_once_tells_on_vee_data_and_when_to_try_again() -> None:
    ack = {"statusCode": "1", "statusReason": "Refused", "refusal": REFUSAL}
    result, _, _ = run_call(call(), partial(Portal, ack=ack))
    assert result.request.end is RequestEnd.REFUSED
    assert result.request.polls == 0
    assert result.request.trouble is not None
    assert result.request.trouble.retry_at == epoch("2026-08-13T00:00")
    assert result.answer.told_on is ToldOn.VEE_ONLY
    assert "FR-CR016.1b" in result.answer.marks[0]
    assert "70 intervals from 2026-08-12 00:00 to 2026-08-12 17:30 were not read" in result.answer.marks[1]
    told, first = result.answer.told, result.instant.told
    assert told is not None
    assert first is not None
    assert (told.bill, told.owed) == (first.bill, first.owed)
    assert "FR-CR016.1b" in result.answer.sentences[-1]


def test_refused_with_what_the_store_holds_bills_it_and_marks_the_bill() -> None:
    class Refusing(Portal):
        def fulfilled(self) -> dict[str, Any]:
            held = self.served(epoch("2026-08-12T00:00"), self.swept_to)
            whole = super().fulfilled() | {"partial": None, "meterReads": 0}
            reaches = {"reachesTo": "2026-08-12T16:00:00-05:00", "statusReason": "Refused", "statusCode": "1"}
            return whole | reaches | {"intervals": held, "refusal": REFUSAL}

    result, _, _ = run_call(call(), Refusing, at=epoch("2026-08-12T18:20"))
    assert result.request.end is RequestEnd.REFUSED
    assert result.answer.told_on is ToldOn.PARTIAL
    assert result.answer.told is not None
    told = result.answer.told
    assert (told.known_to, told.to) == (epoch("2026-08-12T16:00"), epoch("2026-08-12T18:15"))
    assert "9 intervals from 2026-08-12 16:00 to 2026-08-12 18:15 were not read" in result.answer.marks[1]
    assert told.owed.low < told.bill.total < told.owed.high


class Doubtful(Portal):
    """One in whose gap an interval has more than any service carries."""

    def served(self, start: Seconds, end: Seconds) -> list[dict[str, Any]]:
        return [one | ({"wh": 2_000_000} if at == 5 else {}) for at, one in enumerate(super().served(start, end))]


def test_more_than_the_service_carries_in_a_quarter_hour_of_the_gap_marks_the_bill() -> None:
    result, _, _ = run_call(call(), Doubtful)
    assert result.answer.told_on is ToldOn.PARTIAL
    assert [doubt.id for doubt in result.answer.doubts] == ["interval.hard_maximum"]
    assert result.answer.marks[0].startswith("Told on doubtful data, which are in the bill: 2000000 Wh")
    assert "from 2026-08-12T01:15:00-05:00 to 2026-08-12T01:30:00-05:00" in result.answer.marks[0]
    assert result.answer.told is not None
    assert result.answer.told.bill.usage_wh > 2_900_000


def closed(register_wh: int, lost: str = "") -> Callable[[Callable[[], Seconds]], Portal]:
    """A portal that has the whole cycle, but for a day, and what the register went on by."""

    class Closed(Portal):
        def answer(self, path: str, body: dict[str, Any]) -> Response:
            if path != "v2/dailyreads/":
                return super().answer(path, body)
            ends = {"07/16/2026": 0, "08/14/2026": register_wh}
            rows = [
                {"readDate": day, "startReading": "0.000", "endReading": f"{wh / 1000:.3f}"} for day, wh in ends.items()
            ]
            return JSONResponse({"registeredReads": [row | {"energyDataKwh": "0.000"} for row in rows]})

        def rows(self, body: dict[str, Any]) -> list[dict[str, str]]:
            return [row for row in super().rows(body) if row["DT"] != lost]

    return partial(Closed, posted=date(2026, 8, 14))


def test_what_a_hole_lacks_is_billed_by_the_register_and_told_so() -> None:
    result, _, _ = run_call(call(), closed(990_000, "07/20/2026"), at=epoch("2026-08-15T17:40"))
    told = result.answer.told
    assert told is not None
    assert told.bill.usage_wh == 990_000
    assert any(
        "never posted as VEE and are in the bill by the register read alone" in mark for mark in result.answer.marks
    )


@pytest.mark.parametrize(("more_wh", "noted"), [(1_500, False), (2_001, True)])
def test_the_closing_bill_rests_on_the_register_and_is_held_to_it(more_wh: int, noted: bool) -> None:
    intervals = vee_record(ACCOUNT.cycle_first, ACCOUNT.cycle_last).total_wh()

    result, _, _ = run_call(call(), closed(intervals + more_wh), at=epoch("2026-08-15T17:40"))
    told = result.answer.told
    assert told is not None
    assert told.bill.usage_wh == intervals + more_wh
    # 13.9 + 5.6 c/kWh.
    line = next(line for line in told.bill.lines if line.kind is LineKind.REGISTER)
    assert line.text == f"{Decimal(more_wh) / 1000} kWh at 19.5 c/kWh"
    assert any("2 kWh x multiplier" in note for note in told.bill.notes) is noted


def test_a_part_of_a_cycle_pays_its_part_of_the_monthly_charges() -> None:
    account = ACCOUNT.model_copy(update={"cycle_first": date(2026, 8, 5), "full_cycle_days": 30})
    record = vee_record(account.cycle_first, account.cycle_last)
    lines = bill_at(account, PLAN, record, account.cycle_end).lines
    # 10 of 30 days of $4.95 and $4.23.
    assert [line.amount for line in lines if "of 30 days" in line.text] == [Decimal("1.65"), Decimal("1.41")]


def test_a_failed_read_tells_on_vee_data_and_says_so() -> None:
    ending: dict[str, Any] = {"statusCode": "1", "statusReason": "T-FAILED", "intervals": [], "partial": None}
    result, _, _ = run_call(call(), partial(Portal, ending=ending))
    assert result.request.end is RequestEnd.FAILED
    assert result.answer.told_on is ToldOn.VEE_ONLY
    assert "T-FAILED" in result.answer.marks[0]


def test_no_answer_ends_when_the_retailer_gives_up() -> None:
    result, _, _ = run_call(call(give_up_s=seconds(300)), partial(Portal, takes_s=seconds(100_000)))
    assert (result.request.end, result.request.polls) == (RequestEnd.UNANSWERED, 20)
    assert result.told_at - result.asked_at == 300
    assert not result.before_hang_up


def test_an_answer_after_the_caller_has_gone_is_a_follow_up_of_what_was_told_at_once() -> None:
    result, _, notes = run_call(call(), partial(Portal, takes_s=PATIENCE_S + 10))
    assert result.request.end is RequestEnd.ANSWERED
    assert not result.before_hang_up
    assert result.follow_up
    assert result.instant_at < result.hangs_up_at < result.told_at
    assert [facts["follow_up"] for _, _, kind, _, facts in notes.entries if kind == "S6.told"] == [True]
    assert not run_call(call())[0].follow_up


def test_polling_goes_on_through_the_front_ends_bad_minute() -> None:
    result, _, _ = run_call(call(), partial(Portal, bad_polls=3))
    assert (result.request.end, result.request.failed_polls) == (RequestEnd.ANSWERED, 3)


def test_intervals_that_come_twice_are_not_billed() -> None:
    class Doubling(Portal):
        def served(self, start: Seconds, end: Seconds) -> list[dict[str, Any]]:
            return super().served(start, end) * 2

    result, _, _ = run_call(call(), Doubling)
    assert result.request.end is RequestEnd.FAILED
    assert result.answer.told_on is ToldOn.VEE_ONLY


def test_a_gap_over_48_hours_leaves_a_hole_that_the_bill_names() -> None:
    result, _, _ = run_call(call(), partial(Portal, posted=date(2026, 8, 9)))
    assert result.answer.told_on is ToldOn.PARTIAL
    assert "70 intervals from 2026-08-10 00:00 to 2026-08-10 17:30 were not delivered" in result.answer.marks[0]
    assert result.answer.told is not None
    (hole,) = result.answer.told.holes
    assert hole == (epoch("2026-08-10T00:00"), epoch("2026-08-10T17:30"), Kind.NOT_DELIVERED)
    # It is expected from the first, and so it stays: the bill does not fall by it when the rest comes.
    expected = {part.kind: part.wh for part in result.answer.told.rests_on}[Kind.NOT_DELIVERED]
    assert abs(expected - sum(map(wh_of, ends_within(*hole[:2])))) < 3_000


def test_on_the_first_day_of_a_customer_the_meter_is_asked_and_the_day_is_billed() -> None:
    account = ACCOUNT.model_copy(update={"cycle_first": date(2026, 8, 12), "full_cycle_days": 30})
    result, _, _ = run_call(call(account=account), partial(Portal, posted=date(2026, 8, 11), vee_error=NO_DATA))
    assert result.request.end is RequestEnd.ANSWERED
    assert result.answer.told_on is ToldOn.WHOLE_GAP
    assert result.answer.told is not None
    assert result.answer.told.bill.usage_wh == sum(
        map(wh_of, ends_within(epoch("2026-08-12T00:00"), epoch("2026-08-12T17:30")))
    )
    assert result.instant.sentences[0].startswith("You owe about $")


def test_days_before_the_customer_came_are_told_as_another_retailers() -> None:
    account = ACCOUNT.model_copy(update={"customer_since": date(2026, 8, 1)})

    class Own(Portal):
        def rows(self, body: dict[str, Any]) -> list[dict[str, str]]:
            return [row for row in super().rows(body) if row["DT"] >= "08/01/2026" and row["DT"] != "08/05/2026"]

    result, _, _ = run_call(call(account=account), Own)
    told = result.answer.told
    assert told is not None
    assert [(hole.why, (hole.end - hole.start) // 86_400) for hole in told.holes] == [
        (Kind.OTHER_ROR, 16),
        (Kind.NEVER_POSTED, 1),
    ]
    assert (
        "from 2026-07-16 00:00 to 2026-08-01 00:00 were another retailer's and are not in the bill"
        in result.answer.marks[0]
    )
    assert "were never posted as VEE and are not in the bill" in result.answer.marks[1]
    # Nor are they in what is to come.
    assert told.projection.energy.wh[: 16 * 96].sum() == 0


@pytest.mark.parametrize("posted", [date(2026, 8, 9), date(2026, 7, 15)])
def test_who_is_of_record_no_more_bills_the_days_that_were_theirs_and_expects_nothing(posted: date) -> None:
    result, _, _ = run_call(call(), partial(Portal, posted=posted, ack=NOT_OURS))
    assert result.instant.told is not None
    before, answered = result.instant.sentences, result.answer
    assert " expected." in before[1]
    assert answered.marks[0].startswith("The on-demand read has failed (smt.AC1)")
    assert answered.edges == ()
    assert not any("The cycle to" in sentence for sentence in answered.sentences)
    stand = answered.told
    if posted < ACCOUNT.cycle_first:
        assert stand is None
        assert answered.told_on is ToldOn.NOTHING
        return
    assert stand is not None
    assert answered.told_on is ToldOn.OWN_DAYS
    assert answered.marks[1:] == (
        "Nothing is expected behind 2026-08-10 00:00, where our VEE data end: this ESI ID may be ours no more.",
    )
    assert [part.kind for part in stand.rests_on if part.wh] == [Kind.VEE_ACTUAL]
    own = vee_record(ACCOUNT.cycle_first, posted)
    assert stand.bill.usage_wh == own.total_wh()
    assert stand.bill == stand.projected == bill_at(ACCOUNT, PLAN, own, stand.to)
    assert stand.bill == stand.projected_low == stand.projected_high
    ahead = stand.projection.to_dict()
    assert [ahead[name] for name in ("known_wh", "total_wh", "low_wh", "high_wh")] == [own.total_wh()] * 4
    assert ahead["expected_wh"] == 0
    assert {stand.owed.low, stand.owed.high, stand.outlook.low, stand.outlook.high} == {stand.bill.total}
    assert answered.sentences[0].startswith(f"You owe {money(stand.bill.total)} by now, with tax")


@pytest.mark.parametrize(("plan", "said"), [("marfa-sun-net", 1), ("longhorn-thousand-24", 0)])
def test_who_is_paid_for_what_he_gives_is_told_that_no_day_of_his_tells_it_yet(plan: str, said: int) -> None:
    result, _, _ = run_call(call(plan=shipped_plan(plan)))
    for answer in (result.instant, result.answer):
        assert sum("what your home gives to the grid" in sentence for sentence in answer.sentences) == said
        assert sum(sentence.startswith("The cycle to") for sentence in answer.sentences) == 1


@pytest.mark.parametrize(
    ("portal", "question"),
    [
        (Portal, Question.BALANCE),
        (Portal, Question.LAST_BILL),
        (Doubtful, Question.BALANCE),
        (partial(Portal, posted=date(2026, 8, 9)), Question.BALANCE),
        (partial(Portal, ack={"statusCode": "1", "statusReason": "Refused", "refusal": REFUSAL}), Question.BALANCE),
        (partial(Portal, vee_error=NO_DATA), Question.BALANCE),
        (partial(Portal, ack=NOT_OURS), Question.BALANCE),
    ],
)
def test_five_sentences_are_enough_and_what_is_owed_comes_first(
    portal: Callable[[Callable[[], Seconds]], Portal], question: Question
) -> None:
    result, _, _ = run_call(call(question), portal)
    for answer in (result.instant, result.answer):
        assert 1 <= len(answer.sentences) <= 5
        # A point within a sentence stands in a number, a rule's name or a plan's.
        assert all(sentence.endswith(".") and ". " not in sentence for sentence in answer.sentences)
        assert answer.sentences[0].startswith("You owe" if answer.told is not None else "On our books")


def test_a_question_about_the_last_bill_needs_nothing_of_smt() -> None:
    result, portal, notes = run_call(call(Question.LAST_BILL))
    assert portal.seen == []
    assert result.request.end is RequestEnd.NOT_MADE
    assert result.answer.sentences == ("On our books: last bill $131.07, paid $131.07, $0.00 due 2026-08-02.",)
    assert notes.kinds() == ["S1.called", "S2.decided", "S6.told", "S7.outcome"]


@pytest.mark.parametrize("field", ["trouble", "history"])
def test_without_vee_data_the_running_cycle_is_not_billed(field: str) -> None:
    error = NO_DATA | ({"errorCode": "2076"} if field == "trouble" else {})
    result, _, _ = run_call(call(), partial(Portal, vee_error=error))
    assert result.answer.told_on is ToldOn.NOTHING
    assert result.request.end is RequestEnd.NOT_MADE
    assert "not billed" in result.answer.marks[-1]
    assert (result.trouble is not None) == (field == "trouble")


def test_a_wrong_password_is_told_and_not_raised() -> None:
    result, _, _ = run_call(call(), password="wrong")
    assert result.trouble is not None
    assert result.trouble.code == "smt.http_401"
    assert result.answer.told_on is ToldOn.NOTHING


def told_then_rebilled(runtime: Runtime, client: SmtClient, notes: Notes) -> Generator[Any, Any, Rebill]:
    told = yield from call()(runtime, client, notes)
    return (yield from rebill(runtime, client, ACCOUNT, PLAN, told, notes))


def test_rebill_of_the_same_instant_differs_by_nothing_when_vee_agrees() -> None:
    again, _, _ = run_call(told_then_rebilled, partial(Portal, posted=date(2026, 8, 11)))
    assert not again.covered
    assert again.satisfied is None

    class PostsLater(Portal):
        def answer(self, path: str, body: dict[str, Any]) -> Any:
            # By the time of the second review the day of the call is posted.
            reads = sum(path == "v2/15minintervalreads/" for path, _ in self.seen)
            self.posted = date(2026, 8, 12) if reads > 1 else date(2026, 8, 11)
            return super().answer(path, body)

    again, _, notes = run_call(told_then_rebilled, PostsLater)
    assert again.covered
    assert again.difference == Decimal(0)
    assert again.satisfied
    assert again.instant == epoch("2026-08-12T17:30")
    assert notes.kinds()[-1] == "rebilled"


def test_power_status_is_followed_to_its_answer() -> None:
    power = {
        "status": "ON",
        "source": "reply",
        "switchState": "CLOSED",
        "voltage": 243.1,
        "at": "2026-08-12T17:41:05-05:00",
    }

    def process(runtime: Runtime, client: SmtClient, notes: Notes) -> Generator[Any, Any, OnDemand]:
        return power_inquiry(runtime, client, ACCOUNT.esiid, "call-0002", seconds(15), notes)

    ending = {"powerStatus": power, "intervals": None, "gap": None, "partial": None}
    request, portal, notes = run_call(process, partial(Portal, ending=ending))
    assert request.status is not None
    assert request.status.powerStatus is not None
    assert request.status.powerStatus.status == "ON"
    assert notes.entries[-1][4]["served"]["power"]["voltage"] == "243.1"
    assert next(body for path, body in portal.seen if path == "v2/powerstatus/")["ESIID"] == ESIID
    assert portal.asked_at == CALL


def test_the_weather_is_looked_at_of_the_zone_that_the_account_names_and_of_no_other() -> None:
    asked: list[str] = []

    def weather(zone: str) -> Outdoors:
        asked.append(zone)
        return weather_of(zone, 7)

    def process(account: Account) -> Callable[[Runtime, SmtClient, Notes], Generator[Any, Any, CallResult]]:
        def work(runtime: Runtime, client: SmtClient, notes: Notes) -> Generator[Any, Any, CallResult]:
            of_call = Question.BALANCE, "call-0001", PATIENCE_S, seconds(15), notes
            return balance_inquiry(runtime, client, account, PLAN, *of_call, weather=weather)

        return work

    here, nowhere = (run_call(process(one))[0] for one in (ACCOUNT.model_copy(update={"zone": "NCENT"}), ACCOUNT))
    assert asked == ["NCENT"]
    assert here.answer.pattern == hourly_pattern(here.usage, outdoors=weather_of("NCENT", 7))
    assert all(one.heat_wh is not None for one in here.answer.pattern.beside)
    assert all(one.heat_wh is None for one in nowhere.answer.pattern.beside)
