"""The on-demand process over ports of the test's own: store first, retries, deadlines, all in model time."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import simpy

from headend.network import RETRY_WAITS_US, TRIES, TRY_TIMEOUT_US, AccessPoint, LawDraws, NetworkLaw, Try
from headend.ondemand import Answer, Inquiry, answer_inquiry
from headend.wire import InquiryKind, Outcome
from meters.calendar import US

HOUR = 3600 * US


class Known:
    """A store that is known up to an instant."""

    def __init__(self, to: int) -> None:
        self.to = to

    def first_missing(self, esiid: str, start: int, end: int) -> int | None:
        return None if self.to >= end else max(self.to, start)


class Radio:
    """Meters that answer the tries that are heard, as far as they reach."""

    def __init__(self, env: simpy.Environment, store: Known, reaches: int) -> None:
        self.env = env
        self.store = store
        self.reaches = reaches
        self.point = AccessPoint(4.0)
        self.asked: list[tuple[int, int]] = []

    def access_point(self, esiid: str) -> AccessPoint:
        return self.point

    def read(self, inquiry: Inquiry, lacked_from: int, start_us: int, one: Try) -> Generator[simpy.Event, Any, Any]:
        self.asked.append((int(self.env.now), lacked_from))
        wait = one.out_us + one.back_us if one.heard else TRY_TIMEOUT_US
        yield self.env.timeout(start_us - int(self.env.now) + wait)
        if not one.heard:
            return None
        self.store.to = max(self.store.to, self.reaches)
        return "reading"


def ask(
    *, known_to: int, reaches: int = 9000, heard: str = "1111", allowed: bool = True, answer_by: int = HOUR, **more: Any
) -> tuple[Answer, int, Radio]:
    env = simpy.Environment()
    store = Known(known_to)
    radio = Radio(env, store, reaches)
    inquiry = Inquiry("k", more.pop("kind", InquiryKind.INTERVALS), "esiid", 0, 9000, allowed, answer_by, **more)

    def draws(key: str, attempt: int) -> Try:
        return Try(2 * US, 1 * US, heard[attempt] == "1")

    process = env.process(answer_inquiry(env, inquiry, store, radio, draws))
    answer = env.run(process)
    assert isinstance(answer, Answer)
    return answer, int(env.now), radio


def test_a_full_store_answers_at_once_and_reads_no_meter() -> None:
    answer, at, radio = ask(known_to=9000)
    assert (answer.outcome, answer.meter_reads, at, radio.asked) == (Outcome.COMPLETED, 0, 0, [])


def test_the_meter_is_read_only_from_where_the_store_ends() -> None:
    answer, at, radio = ask(known_to=6300)
    assert (answer.outcome, answer.meter_reads, answer.lacked_from) == (Outcome.COMPLETED, 1, 6300)
    assert radio.asked == [(0, 6300)]
    assert at == 3 * US


def test_meter_only_reads_the_meter_whatever_the_store_holds() -> None:
    answer, _, radio = ask(known_to=9000, store_allowed=False)
    assert (answer.outcome, answer.meter_reads, answer.lacked_from) == (Outcome.COMPLETED, 1, 0)
    assert radio.asked == [(0, 0)]


def test_without_leave_to_read_what_lacks_is_refused() -> None:
    answer, at, _ = ask(known_to=6300, allowed=False)
    assert (answer.outcome, answer.lacked_from, answer.meter_reads, at) == (Outcome.REFUSED, 6300, 0, 0)


def test_a_silent_meter_fails_after_four_tries_and_their_waits() -> None:
    answer, at, radio = ask(known_to=6300, heard="0000")
    assert (answer.outcome, answer.meter_reads) == (Outcome.FAILED, TRIES)
    assert at == TRIES * TRY_TIMEOUT_US + sum(RETRY_WAITS_US) == 330 * US
    assert [when // US for when, _ in radio.asked] == [0, 60, 150, 300]


def test_a_retry_that_is_heard_completes() -> None:
    answer, at, _ = ask(known_to=6300, heard="0111")
    assert (answer.outcome, answer.meter_reads, at) == (Outcome.COMPLETED, 2, 63 * US)


def test_no_try_is_begun_that_could_end_after_the_deadline() -> None:
    answer, at, _ = ask(known_to=6300, heard="0000", answer_by=100 * US)
    assert (answer.outcome, answer.meter_reads) == (Outcome.FAILED, 2)
    assert at <= 100 * US + RETRY_WAITS_US[1]
    assert "no time left" in answer.reason


def test_a_meter_behind_the_gap_is_no_success() -> None:
    answer, _, _ = ask(known_to=6300, reaches=8100)
    assert (answer.outcome, answer.meter_reads) == (Outcome.FAILED, 1)
    assert "do not reach" in answer.reason


@pytest.mark.parametrize("kind", [InquiryKind.REGISTER, InquiryKind.POWER])
def test_other_kinds_need_the_meter(kind: InquiryKind) -> None:
    assert ask(known_to=9000, kind=kind)[0].meter_reads == 1
    assert ask(known_to=9000, kind=kind, allowed=False)[0].outcome is Outcome.REFUSED


def test_an_access_point_carries_reads_in_the_order_they_came() -> None:
    point = AccessPoint(4.0)
    starts = []
    for now in (0, 0, 100_000, 2_000_000):
        start = point.free_at(now)
        point.take(start)
        starts.append(start)
    assert starts == [0, 250_000, 500_000, 2_000_000]
    assert point.carried == 4


def test_draws_of_a_key_are_the_same_whenever_they_are_asked_for() -> None:
    one, two = LawDraws(NetworkLaw(), 1), LawDraws(NetworkLaw(), 1)
    assert [one("a", n) for n in range(TRIES)] == [two("a", n) for n in reversed(range(TRIES))][::-1]
    assert one("a", 0) != one("b", 0)
    assert one("a", 0) != LawDraws(NetworkLaw(), 2)("a", 0)


def test_the_network_law_answers_within_seconds_and_nearly_always() -> None:
    out, back, heard = NetworkLaw().tries(np.random.default_rng(1), 20_000)
    seconds = (out + back)[:, 0] / US
    # 3 to 8 s of radio and meter is what the market reports of a read [S].
    assert 2.0 < float(np.median(seconds)) < 5.0
    assert float(heard.mean()) > 0.999
    assert int(out.min()) > 0
