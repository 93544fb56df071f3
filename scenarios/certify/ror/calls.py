"""A customer's call of a retailer, with all that was asked of SMT for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from meters.calendar import INTERVAL_S, Seconds, epoch, floor_interval, seconds
from scenarios.actions.outside.customer_calls import CustomerCalls, RecordedCustomerCall
from scenarios.certify.observed import MOST, Observation, Observed, Step
from scenarios.certify.said import ODR, STATUS, Heard, Said, heard
from scenarios.certify.truth import Truth, posted_to
from scenarios.parts.setting import AccountSpec

Seen = Iterator[Observation]


@dataclass(frozen=True)
class Called:
    """A customer's call with all that was asked of SMT for it."""

    step: Step
    action: CustomerCalls
    record: RecordedCustomerCall
    #: What the meters hold.
    truth: Truth
    #: Seconds by which the retailer's clock may be off ours.
    clock_s: Seconds = seconds(0)

    @cached_property
    def said(self) -> Heard:
        """What was asked of SMT, from the call's beginning to its end."""
        return heard(self.step.market, self.record.at, self.record.ended_at)

    def to(self, path: str) -> Heard:
        """What was asked below a path."""
        return self.said.where(lambda one: one.path.startswith(path))

    @cached_property
    def filed(self) -> Heard:
        """Its requests for a read, taken or refused."""
        return self.filed_at(ODR)

    def filed_at(self, *paths: str) -> Heard:
        """Its requests at the meter at some paths, taken or refused."""
        return self.said.where(lambda one: one.path in paths and one.request is not None)

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The last answer of a poll, that to another request left out."""
        others = {one.n for one in self.others}
        polls = reversed(self.to(STATUS))
        return next((one.reply or {} for one in polls if not one.paged and one.n not in others), {})

    @cached_property
    def others(self) -> list[Said]:
        """Answers of polls that are to another request."""
        own = {"", *(one.request.key for one in self.filed if one.request)}
        return [one for one in self.to(STATUS) if (one.reply or {}).get("correlationId", "") not in own]

    @property
    def account(self) -> AccountSpec:
        """The customer's, with its cycle and rates."""
        assert self.step.recording is not None
        return self.step.recording.scenario.account_of(self.action)

    @property
    def posted_to(self) -> Seconds:
        """To where the usage was posted."""
        assert self.step.recording is not None
        return posted_to(self.step.recording.scenario, self.record.at)

    @property
    def uncovered(self) -> list[tuple[Seconds, Seconds]]:
        """What its answer leaves open of the gap."""
        return [(epoch(one["start"]), epoch(one["end"])) for one in self.answer.get("uncovered") or ()]

    @cached_property
    def reaches(self) -> Seconds:
        """To where what it has got reaches unbroken but for what is left open: the posted usage, and what it was told of the gap."""
        its = {int(epoch(one["end"])) for one in self.answer.get("intervals") or ()}
        at = self.posted_to
        for start, end in self.uncovered:
            at = max(at, end) if its and start <= at else at
        while at + INTERVAL_S in its:
            at += INTERVAL_S
        return at if its else self.posted_to

    @property
    def esiid(self) -> str:
        """The customer's."""
        assert self.step.recording is not None
        return self.step.recording.world.accounts[self.account.account_id].esiid

    @property
    def own(self) -> bool:
        """Whether the customer is the retailer's on the day."""
        assert self.step.recording is not None
        premise = self.step.recording.world.accounts[self.account.account_id]
        return premise.service_point.ror_of_record == premise.ror.duns

    @property
    def last_end(self) -> Seconds:
        """Where the last whole quarter hour ends at the call's end, by a clock that is as far ahead as it may be."""
        return floor_interval(self.record.ended_at + self.clock_s)

    @property
    def hung_up(self) -> Seconds:
        """When the caller's patience ended."""
        return self.record.at + self.action.patience_s

    @property
    def held(self) -> dict[int, tuple[int, int]]:
        """What the meter holds; in a flight, of the gap, what it was served of the other system's answer: no retailer knows better."""
        its, gap = self.truth.get(self.esiid, {}), self.answer.get("gap")
        if not self.step.link or not its or not gap:
            return its
        start, until = epoch(gap["start"]), epoch(gap["end"])
        served = {int(epoch(one["end"])): (int(one["wh"]), 0) for one in self.answer.get("intervals") or ()}
        return {end: one for end, one in its.items() if not start < end <= until} | served

    def saw(self, held: bool | None, said: str, exchanges: Sequence[Said] = ()) -> Observation:
        """An observation of it, with its first exchanges; those of the call unless given."""
        numbers = tuple(one.n for one in (exchanges or self.said)[:MOST])
        return Observation(self.step.name, self.action.ref, held, said, numbers)


def calls(all_of_it: Observed) -> list[Called]:
    """Every customer's call of the steps that can be judged."""
    return list(_called(all_of_it))


def _called(all_of_it: Observed) -> Iterator[Called]:
    for step in all_of_it.steps:
        if step.own or step.recording is None:
            continue
        for action in step.recording.scenario.timeline:
            record = step.recording.actions.get(action.ref)
            if isinstance(action, CustomerCalls) and isinstance(record, RecordedCustomerCall):
                yield Called(step, action, record, all_of_it.truth, all_of_it.clock_s)
