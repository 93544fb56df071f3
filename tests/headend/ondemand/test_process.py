"""The on-demand process over ports of the test's own: store first, retries, deadlines, all in model time."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import simpy

from headend.network.law import RETRY_WAITS_US, TRIES, TRY_TIMEOUT_US, AccessPoint, LawDraws, NetworkLaw, Try, Workers
from headend.ondemand.process import Answer, Inquiry, answer_inquiry, joined, worth_a_try
from headend.ports import MeterKey
from headend.wire import InquiryKind, Outcome
from meters.calendar import Micros, Seconds, fraction_s, micros, seconds, to_s, to_us

HOUR = to_us(3600)


class Known:
    """A store that is known up to an instant."""

    def __init__(self, to: Seconds) -> None:
        self.to = to

    def first_missing(self, meter: MeterKey, start: Seconds, end: Seconds) -> Seconds | None:
        return None if self.to >= end else max(self.to, start)


class Radio:
    """Meters that answer the tries that are heard, as far as they reach."""

    def __init__(self, env: simpy.Environment, store: Known, reaches: Seconds) -> None:
        self.env = env
        self.store = store
        self.reaches = reaches
        self.point = AccessPoint(4.0)
        self.workers = Workers(0)
        self.asked: list[tuple[Micros, Seconds]] = []
        #: (at, told from, until), in seconds, microseconds, microseconds.
        self.failures: list[tuple[Seconds, Micros, Micros]] = []

    def access_point(self, meter: MeterKey) -> AccessPoint:
        return self.point

    def power_failed_at(self, meter: MeterKey) -> Seconds | None:
        return next((at for at, told_us, over_us in self.failures if told_us <= self.env.now < over_us), None)

    def read(
        self, inquiry: Inquiry, lacked_from: Seconds, start_us: Micros, attempt: Try
    ) -> Generator[simpy.Event, Any, Any]:
        self.asked.append((micros(self.env.now), lacked_from))
        wait = attempt.out_us + attempt.back_us if attempt.heard else TRY_TIMEOUT_US
        yield self.env.timeout(start_us - micros(self.env.now) + wait)
        if not attempt.heard:
            return None
        self.store.to = max(self.store.to, self.reaches)
        return "reading"


def ask(
    *,
    known_to: int,
    reaches: int = 9000,
    heard: str = "1111",
    allowed: bool = True,
    answer_by: Micros = HOUR,
    **more: Any,
) -> tuple[Answer, int, Radio]:
    env = simpy.Environment()
    store = Known(seconds(known_to))
    radio = Radio(env, store, seconds(reaches))
    radio.failures = more.pop("failures", [])
    inquiry = Inquiry(
        "k",
        more.pop("kind", InquiryKind.INTERVALS),
        MeterKey("esiid", "1"),
        seconds(0),
        seconds(9000),
        allowed,
        answer_by,
        **more,
    )

    def draws(key: str, attempt: int) -> Try:
        return Try(to_us(2), to_us(1), heard[attempt] == "1")

    process = env.process(answer_inquiry(env, inquiry, store, radio, draws))
    answer = env.run(process)
    assert isinstance(answer, Answer)
    return answer, micros(env.now), radio


def test_a_full_store_answers_at_once_and_reads_no_meter() -> None:
    answer, at, radio = ask(known_to=9000)
    assert (answer.outcome, answer.meter_reads, at, radio.asked) == (Outcome.COMPLETED, 0, 0, [])


def test_the_meter_is_read_only_from_where_the_store_ends() -> None:
    answer, at, radio = ask(known_to=6300)
    assert (answer.outcome, answer.meter_reads, answer.lacked_from) == (Outcome.COMPLETED, 1, 6300)
    assert radio.asked == [(0, 6300)]
    assert at == to_us(3)


def test_meter_only_reads_the_meter_whatever_the_store_holds() -> None:
    answer, _, radio = ask(known_to=9000, store_allowed=False)
    assert (answer.outcome, answer.meter_reads, answer.lacked_from) == (Outcome.COMPLETED, 1, 0)
    assert radio.asked == [(0, 0)]


@pytest.mark.parametrize(("within", "reads"), [(0, 1), (2699, 1), (2700, 0), (9000, 0)])
def test_a_store_that_falls_short_by_no_more_than_it_may_answers_and_says_from_where(within: int, reads: int) -> None:
    answer, _, radio = ask(known_to=6300, store_within=seconds(within))
    assert (answer.outcome, answer.meter_reads, answer.lacked_from) == (Outcome.COMPLETED, reads, 6300)
    assert len(radio.asked) == reads


def test_what_falls_short_and_may_needs_no_leave_and_meter_only_is_never_answered_so() -> None:
    assert ask(known_to=6300, store_within=seconds(2700), allowed=False)[0].outcome is Outcome.COMPLETED
    assert ask(known_to=9000, store_within=seconds(9000), store_allowed=False)[0].meter_reads == 1


@pytest.mark.parametrize(("answers", "tries"), [(True, 0), (False, 1)])
def test_a_last_gasp_answers_a_power_status_before_any_try_if_it_may(answers: bool, tries: int) -> None:
    failures = [(seconds(5), micros(0), HOUR)]
    how: dict[str, Any] = {
        "kind": InquiryKind.POWER,
        "failures": failures,
        "heard": "0000",
        "last_gasp_answers": answers,
    }
    answer, _, radio = ask(known_to=0, **how)
    assert (answer.outcome, answer.power_failed_at, len(radio.asked)) == (Outcome.COMPLETED, 5, tries)


def test_a_last_gasp_answers_no_register_and_none_answers_when_it_is_unsaid() -> None:
    failures = [(seconds(5), micros(0), HOUR)]
    assert ask(known_to=0, kind=InquiryKind.REGISTER, failures=failures, last_gasp_answers=True)[2].asked
    assert ask(known_to=0, kind=InquiryKind.POWER, last_gasp_answers=True)[2].asked


def test_without_leave_to_read_what_lacks_is_refused() -> None:
    answer, at, _ = ask(known_to=6300, allowed=False)
    assert (answer.outcome, answer.lacked_from, answer.meter_reads, at) == (Outcome.REFUSED, 6300, 0, 0)


def test_a_silent_meter_fails_after_four_tries_and_their_waits() -> None:
    answer, at, radio = ask(known_to=6300, heard="0000")
    assert (answer.outcome, answer.meter_reads) == (Outcome.FAILED, TRIES)
    assert at == TRIES * TRY_TIMEOUT_US + sum(RETRY_WAITS_US) == to_us(330)
    assert [to_s(when) for when, _ in radio.asked] == [0, 60, 150, 300]


def test_a_retry_that_is_heard_completes() -> None:
    answer, at, _ = ask(known_to=6300, heard="0111")
    assert (answer.outcome, answer.meter_reads, at) == (Outcome.COMPLETED, 2, to_us(63))


@pytest.mark.parametrize(("answer_by", "tries"), [(to_us(90) - 1, 1), (to_us(90), 2), (to_us(100), 2)])
def test_no_try_is_begun_that_could_end_after_the_deadline(answer_by: Micros, tries: int) -> None:
    answer, at, _ = ask(known_to=6300, heard="0000", answer_by=answer_by)
    assert (answer.outcome, answer.meter_reads) == (Outcome.FAILED, tries)
    assert at <= answer_by + RETRY_WAITS_US[1]
    assert "no time left" in answer.reason


def test_a_meter_behind_the_gap_is_no_success() -> None:
    answer, _, _ = ask(known_to=6300, reaches=8100)
    assert (answer.outcome, answer.meter_reads) == (Outcome.FAILED, 1)
    assert "do not reach" in answer.reason


@pytest.mark.parametrize("kind", [InquiryKind.REGISTER, InquiryKind.POWER])
def test_other_kinds_need_the_meter(kind: InquiryKind) -> None:
    assert ask(known_to=9000, kind=kind)[0].meter_reads == 1
    assert ask(known_to=9000, kind=kind, allowed=False)[0].outcome is Outcome.REFUSED


def test_a_meter_that_told_of_its_power_failure_is_tried_once_and_its_status_is_off() -> None:
    failures = [(-600, to_us(-599), HOUR)]
    answer, at, radio = ask(known_to=0, kind=InquiryKind.POWER, heard="0000", failures=failures)
    assert (answer.outcome, answer.meter_reads, answer.power_failed_at) == (Outcome.COMPLETED, 1, -600)
    assert (at, radio.point.carried) == (TRY_TIMEOUT_US, 1)


@pytest.mark.parametrize("kind", [InquiryKind.REGISTER, InquiryKind.INTERVALS])
def test_a_read_of_a_meter_without_power_fails_after_one_try_and_says_why(kind: InquiryKind) -> None:
    answer, at, _ = ask(known_to=0, kind=kind, heard="0000", failures=[(0, 0, HOUR)])
    assert (answer.outcome, answer.meter_reads, at) == (Outcome.FAILED, 1, TRY_TIMEOUT_US)
    assert answer.reason == "the meter did not answer 1 try: it has told that its power failed"


def test_a_last_gasp_that_comes_between_two_tries_spares_the_second() -> None:
    answer, at, radio = ask(known_to=0, kind=InquiryKind.POWER, heard="0000", failures=[(20, to_us(45), HOUR)])
    assert (answer.outcome, answer.meter_reads, answer.power_failed_at) == (Outcome.COMPLETED, 1, 20)
    assert (at, radio.point.carried) == (TRY_TIMEOUT_US + RETRY_WAITS_US[0], 1)


def test_a_meter_that_answers_after_its_last_gasp_is_on() -> None:
    # Its reply is what makes the head-end forget the last gasp, so at the end none is told.
    answer, _, _ = ask(known_to=0, kind=InquiryKind.POWER, failures=[(0, 0, to_us(2))])
    assert (answer.outcome, answer.reading, answer.power_failed_at) == (Outcome.COMPLETED, "reading", None)


def test_power_that_fails_while_the_reply_is_on_its_way_is_off() -> None:
    answer, _, _ = ask(known_to=0, kind=InquiryKind.POWER, failures=[(2, to_us(2), HOUR)])
    assert (answer.outcome, answer.reading, answer.power_failed_at) == (Outcome.COMPLETED, "reading", 2)


def test_a_restored_meter_that_is_silent_has_all_its_tries_and_is_unknown() -> None:
    answer, _, _ = ask(known_to=0, kind=InquiryKind.POWER, heard="0000", failures=[(-600, to_us(-599), 0)])
    assert (answer.outcome, answer.meter_reads, answer.power_failed_at) == (Outcome.FAILED, TRIES, None)


def test_a_known_power_failure_is_told_even_when_no_try_fits_before_the_deadline() -> None:
    power = ask(known_to=0, kind=InquiryKind.POWER, answer_by=to_us(10), failures=[(-600, 0, HOUR)])[0]
    read = ask(known_to=0, kind=InquiryKind.REGISTER, answer_by=to_us(10), failures=[(-600, 0, HOUR)])[0]
    assert (power.outcome, power.meter_reads, power.power_failed_at) == (Outcome.COMPLETED, 0, -600)
    assert (read.outcome, read.meter_reads) == (Outcome.FAILED, 0)
    assert "no time left" in read.reason


@pytest.mark.parametrize(
    ("made", "power_off", "again"), [(0, True, True), (1, True, False), (3, False, True), (4, False, False)]
)
def test_a_try_is_worth_it(made: int, power_off: bool, again: bool) -> None:
    assert worth_a_try(made, power_off) is again


def test_an_access_point_carries_reads_in_the_order_they_came() -> None:
    point = AccessPoint(4.0)
    starts = []
    for now in (0, 0, 100_000, 2_000_000):
        start = point.free_at(micros(now))
        point.take(start)
        starts.append(start)
    assert starts == [0, 250_000, 500_000, 2_000_000]
    assert point.carried == 4


def test_a_try_that_is_not_heard_holds_its_access_point_as_long_as_told() -> None:
    point, heard, silent = AccessPoint(4.0, 30.0), Try(to_us(2), to_us(3), True), Try(to_us(2), to_us(3), False)
    point.tried(micros(0), silent)
    assert point.free_at(micros(0)) == to_us(30)
    point.tried(to_us(30), heard)
    assert point.free_at(to_us(30)) == to_us(30) + 250_000
    # Found to be silent later: who has come meanwhile keeps his place.
    point.silent(to_us(30))
    assert point.free_at(to_us(30)) == to_us(60)


def test_each_worker_has_one_try_at_a_time_and_the_first_to_be_free_the_next() -> None:
    workers, taken_up = Workers(2), []
    for ends in (30, 5, 9, 40):
        taken_up.append(workers.take_up(to_us(1)))
        workers.busy_until(to_us(ends))
    assert taken_up == [to_us(1), to_us(1), to_us(5), to_us(9)]
    workers.late(to_us(30), to_us(60))
    assert workers.take_up(to_us(1)) == to_us(40)
    workers.late(to_us(7), to_us(90))
    assert workers.take_up(to_us(1)) == to_us(40)
    assert Workers(0).take_up(to_us(1)) == to_us(1)


def test_a_try_waits_for_a_worker_and_is_given_up_when_one_finds_no_time_left() -> None:
    env = simpy.Environment()
    radio = Radio(env, Known(seconds(0)), seconds(9000))
    radio.workers = Workers(1)
    ended: list[tuple[Micros, Outcome, int]] = []

    def draws(key: str, attempt: int) -> Try:
        return Try(to_us(2), to_us(1), key == "heard")

    def asked(key: str, answer_by: int) -> Generator[simpy.Event, Any, None]:
        inquiry = Inquiry(key, InquiryKind.REGISTER, MeterKey(key, "1"), seconds(0), seconds(0), True, to_us(answer_by))
        answer = yield from answer_inquiry(env, inquiry, radio.store, radio, draws)
        ended.append((micros(env.now), answer.outcome, answer.meter_reads))

    for key, answer_by in (("silent", 31), ("heard", 100), ("late", 60), ("heard", 100)):
        env.process(asked(key, answer_by))
    env.run()
    # The worker comes to the late one at 33 s, when a time-out would end at 63 s, and goes on to the next at once.
    # Nobody waits for the silent one's answer after 31 s, so its wait for another try ends then.
    assert ended == [
        (to_us(31), Outcome.FAILED, 1),
        (to_us(33), Outcome.COMPLETED, 1),
        (to_us(33), Outcome.FAILED, 0),
        (to_us(36), Outcome.COMPLETED, 1),
    ]


def test_draws_of_a_key_are_the_same_whenever_they_are_asked_for() -> None:
    one, two = LawDraws(NetworkLaw(), 1), LawDraws(NetworkLaw(), 1)
    assert [one("a", n) for n in range(TRIES)] == [two("a", n) for n in reversed(range(TRIES))][::-1]
    assert one("a", 0) != one("b", 0)
    assert one("a", 0) != LawDraws(NetworkLaw(), 2)("a", 0)


def test_the_network_law_answers_within_seconds_and_nearly_always() -> None:
    out, back, heard = NetworkLaw().tries(np.random.default_rng(1), 20_000)
    seconds = fraction_s((out + back)[:, 0])
    # 3 to 8 s of radio and meter is what the market reports of a read [S].
    assert 2.0 < float(np.median(seconds)) < 5.0
    assert float(heard.mean()) > 0.999
    assert int(out.min()) > 0


def test_what_several_meters_answer_is_complete_if_all_are_and_says_which_lacks() -> None:
    told, failed = Answer(Outcome.COMPLETED, meter_reads=1), Answer(Outcome.FAILED, "silent", meter_reads=4)
    refused, gasped = Answer(Outcome.REFUSED, "no leave"), Answer(Outcome.COMPLETED, power_failed_at=seconds(5))

    def of(*answers: Answer, kind: InquiryKind = InquiryKind.INTERVALS) -> tuple[Outcome, str, int]:
        whole = joined([(str(number), answer) for number, answer in enumerate(answers, 1)], kind)
        return whole.outcome, whole.reason, whole.meter_reads

    assert joined([("1", failed)], InquiryKind.POWER) is failed
    assert of(told, told) == (Outcome.COMPLETED, "", 2)
    assert of(told, failed) == (Outcome.FAILED, "meter 2: silent", 5)
    assert of(refused, told) == (Outcome.REFUSED, "meter 1: no leave", 1)
    assert of(failed, failed) == (Outcome.FAILED, "meter 1: silent; meter 2: silent", 8)
    assert of(failed, gasped, kind=InquiryKind.POWER) == (Outcome.COMPLETED, "", 4)
    assert of(failed, told, kind=InquiryKind.POWER) == (Outcome.FAILED, "meter 1: silent", 5)
    assert len(of(*[failed] * 200)[1]) == 400
