"""How a call stands, step by step, and how long the caller waits: from its record and the clock. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from meters.calendar import Seconds, epoch, seconds
from simulator.ror.call.analysis import Question
from simulator.ror.call.on_demand import RequestEnd
from simulator.ror.desk.wire import Call, CallState
from simulator.web.parts import Progress, Step
from simulator.web.words import clock, instant

#: Steps of the journal that the page tells, and their words.
_STEPS = {"S1.called": "On the line", "S2.decided": "Told without a read", "S3.requested": "Meter asked"}
#: What is told of a read that takes longer than most (DOMAIN §4), and from when on.
_SLOW_S, _SLOW = seconds(120), "Most reads take one to two minutes, three in a hundred up to thirty."
#: From when on what was told is of another time.
_OLD_S = seconds(15 * 60)
_ENDS: Mapping[str, tuple[str, str]] = {
    RequestEnd.NOT_MADE: ("Told without a read of the meter.", "good"),
    RequestEnd.ANSWERED: ("The meter has answered: the bill has its read.", "good"),
    RequestEnd.REFUSED: ("The read was refused.", "bad"),
    RequestEnd.FAILED: ("The read has failed.", "bad"),
    RequestEnd.UNANSWERED: ("The read was not answered.", "bad"),
}
_WORDS = {
    RequestEnd.ANSWERED: "Answered",
    RequestEnd.REFUSED: "Refused",
    RequestEnd.FAILED: "Failed",
    RequestEnd.UNANSWERED: "Not answered",
}


class Patience(NamedTuple):
    """How long the caller waits."""

    #: Instants in words, and what is left: ``1:40``; empty once it is over.
    since: str
    until: str
    left: str


def patience_of(call: Call, now: Seconds) -> Patience:
    """How long the caller waits still."""
    asked, left = epoch(call.asked_at), epoch(call.asked_at) + call.patience_s - now
    return Patience(
        clock(asked),
        clock(asked + call.patience_s),
        f"{left // 60}:{left % 60:02d}" if left > 0 else "",
    )


def progress_of(call: Call, now: Seconds) -> Progress:
    """How the call stands."""
    if call.state in (CallState.FAILED, CallState.LOST):
        trouble = call.trouble
        told = (
            "The desk was stopped before it had an answer. Nobody was told anything."
            if trouble is None
            else f"{trouble.reason} ({trouble.code})"
        )
        return Progress("The call could not be worked.", "bad", [Step("Failed", "", "bad")], [told, "Take a new call."])
    if call.state is CallState.UNDER_WAY:
        return _under_way(call, now)
    answer = call.answer or {}
    headline, tone = _ENDS[answer["request"]["end"]]
    if answer["trouble"] is not None:
        headline, tone = "SMT gave no usage data: only the books are told.", "bad"
    elif call.question is Question.LAST_BILL:
        headline = "Told from the books."
    elif answer["request"]["end"] == RequestEnd.ANSWERED and not answer["request"]["served"]["meter_reads"]:
        headline = "The head-end's store has answered: the bill has what it held. The meter was not read."
    return Progress(headline, tone, list(_steps(call)), list(_told(answer, now)))


def _under_way(call: Call, now: Seconds) -> Progress:
    steps = list(_steps(call))
    if call.at_once is None:
        waits = [Step("Told without a read", "", "now")] if len(steps) < 2 else []
        return Progress("SMT is being asked for the validated usage.", "waits", [*steps, *waits])
    told = ["What stands here is told without the read; it is put right when the read is there."]
    asked = next((epoch(one.at) for one in call.steps if one.step == "S3.requested"), now)
    if now - asked > _SLOW_S:
        told.append(_SLOW)
    if now >= epoch(call.asked_at) + call.patience_s:
        told.append("The caller's patience is over: offer to call back with the answer.")
    return Progress("The meter is being asked.", "waits", [*steps, Step("Answered", "", "open")], told)


def _steps(call: Call) -> Iterator[Step]:
    came = {one.step: clock(epoch(one.at)) for one in call.steps}
    for name, word in _STEPS.items():
        if name in came:
            waits = name == "S3.requested" and call.state is CallState.UNDER_WAY
            yield Step(word, came[name], "now" if waits else "done")
    if "S4.ended" in came and call.answer is not None:
        end = RequestEnd(call.answer["request"]["end"])
        yield Step(_WORDS[end], came["S4.ended"], "done" if end is RequestEnd.ANSWERED else "bad")


def _told(answer: Mapping[str, Any], now: Seconds) -> Iterator[str]:
    """The sentences of a call that was told."""
    for trouble in (answer["trouble"], answer["request"]["trouble"]):
        if trouble is not None:
            yield f"{trouble['reason'].rstrip('.')}. ({trouble['code']})"
            if trouble["retry_at"] is not None:
                yield f"The meter can be asked again from {instant(epoch(trouble['retry_at']))}."
    served = answer["request"]["served"]
    if served is not None and served["intervals"] and answer["request"]["end"] == RequestEnd.REFUSED:
        yield f"With the refusal came {served['intervals']} quarter hours that the head-end's store held; they are in the bill."
    if answer["follow_up"]:
        yield f"The caller had hung up at {clock(epoch(answer['hangs_up_at']))}: call back with this answer."
    told_at = epoch(answer["told_at"])
    if now - told_at > _OLD_S:
        yield f"This was told at {instant(told_at)}, and is as of then. Take a new call for what is owed now."
