"""A request that was made of an SMT, with all that came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from headend.wire import Outcome
from meters.calendar import (
    Seconds,
    epoch,
    to_s,
)
from meters.errors import MeterError
from scenarios.actions.outside.asks_smt import AsksSmt, RecordedAsk
from scenarios.certify.observed import Observation, Step, within
from scenarios.certify.said import LATEST, ODR, PORTAL_ODR, POWER, STATUS, Said, data_of, object_of, said_of
from simulator.smt.throttle.policy import PORTAL_CODES
from simulator.tap.chain import Exchange

Seen = Iterator[Observation]


@dataclass(frozen=True)
class Asked:
    """A request with all that came of it."""

    step: Step
    action: AsksSmt
    record: RecordedAsk

    @cached_property
    def said(self) -> list[Said]:
        """What was asked of SMT for it. At the portal nothing names a request: its exchanges are those of its time."""
        if self.action.door == "portal":
            then = map(said_of, within(self.step.portal, self.record.at, self.record.ended_at))
            return [one for one in then if one.path in (PORTAL_ODR, LATEST)]
        its = (said_of(one) for one in self.step.market if one.ids.get("trans_id") == self.action.ref)
        return [one for one in its if one.path in (ODR, POWER, STATUS)]

    @cached_property
    def filed(self) -> Said | None:
        """The request itself."""
        return next((one for one in self.said if one.path in (ODR, POWER, PORTAL_ODR)), None)

    @property
    def told(self) -> dict[str, Any]:
        """What it was answered."""
        told = (self.filed and self.filed.reply) or {}
        return data_of(told) if self.action.door == "portal" else told

    @property
    def turned_away(self) -> bool:
        """Whether it was answered that the throttle has no room for it."""
        return bool(self.told.get("refusal")) or self.told.get("statusCode") in PORTAL_CODES

    @property
    def polls(self) -> list[Said]:
        """How SMT said that it stood."""
        return [one for one in self.said if one.path in (STATUS, LATEST)]

    @cached_property
    def finals(self) -> list[dict[str, Any]]:
        """Each by which it was over, since it was answered."""
        back = self.back("answer")
        told = [one.reply or {} for one in self.polls if back is None or one.at_us >= back.at_us]
        return [one for one in told if one.get("statusCode") in ("0", "1")]

    @property
    def final(self) -> dict[str, Any]:
        """The last of that; nothing while it is pending."""
        last = (self.polls[-1].reply if self.polls else None) or {}
        return last if last.get("statusCode") in ("0", "1") else {}

    @cached_property
    def _inquiry(self) -> tuple[Exchange | None, dict[str, Any]]:
        for one in self.step.link:
            said = object_of(one.ask.get("body")) or {}
            if one.wire == "inquiries" and said.get("correlationId") == self.record.inquiry:
                return one, said
        return None, {}

    @property
    def inquiry(self) -> dict[str, Any]:
        """What the TDSP was asked; nothing where it was not."""
        return self._inquiry[1]

    @cached_property
    def backs(self) -> list[tuple[str, Exchange]]:
        """The TDSP's call-backs, each with what it was to be."""
        its = [one for one in self.step.link if one.wire == "call-backs"]
        mine = [
            one for one in its if (object_of(one.ask.get("body")) or {}).get("correlationId") == self.record.inquiry
        ]
        return list(zip(self.record.made, mine, strict=False)) if self.inquiry else []

    def back(self, how: str) -> Exchange | None:
        """A call-back."""
        return next((one for made, one in self.backs if made == how), None)

    @property
    def answer(self) -> dict[str, Any]:
        """What the TDSP answered in time; nothing where it did not."""
        one = self.back("answer")
        return {} if one is None or self.late(one) else object_of(one.ask.get("body")) or {}

    def late(self, back: Exchange) -> bool:
        """Whether a call-back came after its time."""
        by = self.answer_by
        return by is not None and to_s(back.at_us) > by

    @property
    def answer_by(self) -> Seconds | None:
        """Until when the TDSP may answer."""
        return instant_of(self.inquiry.get("answerBy"))

    @property
    def completed(self) -> bool:
        """Whether the TDSP answered all that was asked of it."""
        return self.answer.get("outcome") == Outcome.COMPLETED and self.action.tdsp != "lacks"

    def saw(self, held: bool | None, said: str) -> Observation:
        """An observation of it, with its exchanges."""
        exchange = self._inquiry[0]
        its = [one.exchange for one in self.said] + [one for _, one in self.backs] + ([exchange] if exchange else [])
        return Observation(self.step.name, self.action.ref, held, said, tuple(sorted({one.n for one in its})))


def asked_in(step: Step) -> list[Asked]:
    assert step.recording is not None
    found = []
    for action in step.recording.scenario.timeline:
        record = step.recording.actions.get(action.ref)
        if isinstance(action, AsksSmt) and isinstance(record, RecordedAsk):
            found.append(Asked(step, action, record))
    return found


def instant_of(text: Any) -> Seconds | None:
    try:
        return epoch(str(text))
    except (MeterError, ValueError):
        return None
