"""What is seen of how an SMT hands on what the TDSP told, takes its call-backs, and tells how a request stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import dropwhile, pairwise, product
from typing import Any

from headend.wire import Outcome
from meters.calendar import (
    epoch,
    us_stamp,
)
from scenarios.certify.smt.asked import Asked, Seen, instant_of
from scenarios.certify.smt.looked import Looked

#: Of a status, what the TDSP told in these words.
_TOLD = ("intervals",)
_REACHES = ("reachesTo", "missing", "partial", "meterReads")


def _same(one: Asked, names: Sequence[str]) -> str:
    """What of an answer is handed on otherwise than it was told, whenever it is asked for, in a sentence."""
    for name, final in product(names, one.finals):
        told, handed = (_plain(of.get(name)) for of in (one.answer, final))
        if told != handed:
            return f"{name} is handed on as {_short(handed)}, and was told as {_short(told)}"
    return ""


def _plain(value: Any) -> Any:
    """A value without what is written in several ways: instants by their offset, what is empty or left out."""
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items() if one not in (None, [], 0)}
        case list():
            return [_plain(one) for one in value]
        case None:
            return []
        case str():
            at = instant_of(value)
            return value if at is None else at
        case _:
            return value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 60 else f"{text[:60]}..."


def _handed_on(ident: str, names: Sequence[str]) -> Callable[[Looked], Seen]:
    def seen(looked: Looked) -> Seen:
        for one in looked.citing(ident):
            if one.completed and one.action.kind == "INTERVALS" and one.final:
                wrong = _same(one, names)
                yield one.saw(not wrong, wrong)

    return seen


def _quality(looked: Looked) -> Seen:
    for one in looked.citing("SMT-QUALITY"):
        if one.completed and one.final:
            yield one.saw(
                one.final.get("quality") == "non-VEE", f"its quality is said to be {one.final.get('quality')}"
            )


def _reads(looked: Looked) -> Seen:
    for one in looked.citing("SMT-READS"):
        if not one.completed or not one.final:
            continue
        if one.action.kind == "POWER":
            told = one.answer["power"]
            handed = [final.get("powerStatus") for final in one.finals]
            wrong = [of for of in handed if _plain(of) != _plain(told)]
            yield one.saw(not wrong, f"{told} is handed on as {wrong[0]}" if wrong else "")
        elif "register" in one.answer:
            told = one.answer["register"]
            wrong = [final.get("odrRead") for final in one.finals if not _reads_as(final.get("odrRead") or {}, told)]
            yield one.saw(not wrong, f"{told['wh']} Wh at {told['at']} is handed on as {wrong[0]}" if wrong else "")


def _reads_as(read: dict[str, Any], told: dict[str, Any]) -> bool:
    wh = read.get("registeredRead")
    right = isinstance(wh, (int, float)) and round(wh * 1000) == told["wh"]
    return right and read.get("readDate") == us_stamp(epoch(told["at"]))


def _hole(looked: Looked) -> Seen:
    for one in looked.citing("SMT-HOLE"):
        if one.final and one.answer.get("outcome") == Outcome.COMPLETED:
            yield one.saw(one.final["statusCode"] != "0", "it is handed on as complete")


def _first(looked: Looked) -> Seen:
    for one in looked.citing("SMT-FIRST"):
        again = [back for made, back in one.backs if made in ("same", "differs")]
        if not one.completed or not one.final or not again:
            continue
        merged = _energy(one.final) != _energy(one.answer)
        refused = [back for back in again if back.reply.get("status") != 202]
        said = "the other answer is in it" if merged else "a call-back that comes again is not acknowledged"
        yield one.saw(not merged and not refused, said)


def _energy(told: dict[str, Any]) -> dict[Any, Any]:
    return {instant_of(one.get("end")): one.get("wh") for one in told.get("intervals") or []}


def _not_taken(ident: str, how: str, said: str) -> Callable[[Looked], Seen]:
    """A call-back that must be refused."""

    def seen(looked: Looked) -> Seen:
        for one in looked.citing(ident):
            back = one.back(how)
            if back is not None:
                status = back.reply.get("status")
                held = None if status is None else 400 <= status < 500
                yield one.saw(held, "there is no reply" if held is None else f"{said} is answered HTTP {status}")

    return seen


def _late(looked: Looked) -> Seen:
    for one in looked.citing("SMT-LATE"):
        back = one.back("answer")
        if back is not None and one.late(back) and one.polls:
            told = one.polls[-1].reply or {}
            yield one.saw(
                told.get("statusCode") != "0" and not told.get("intervals"), "what was answered too late is told"
            )


def _lost(looked: Looked) -> Seen:
    for one in looked.citing("SMT-T-FAILED"):
        if one.inquiry and one.polls:
            told = one.polls[-1].reply or {}
            reason = str(told.get("statusReason"))
            yield one.saw(
                told.get("statusCode") == "1" and reason.startswith("T-FAILED"),
                f"nobody answered it, and its status is {told.get('statusCode')}: {reason}",
            )


def _failed(looked: Looked) -> Seen:
    for one in looked.citing("SMT-FAILED"):
        if one.answer.get("outcome") == Outcome.FAILED and one.final:
            code, reason = one.final["statusCode"], str(one.final.get("statusReason"))
            held = code == "1" and reason.startswith("FAILED") and one.answer["reason"] in reason
            yield one.saw(held, f"the meter did not answer, and its status is {code}: {reason}")


def _silent(looked: Looked) -> Seen:
    """What is told of a request to which the TDSP had no read to tell, or nothing: what it told, and no more."""
    for one in looked.citing("SMT-SILENT"):
        if not one.polls or not one.inquiry:
            continue
        if one.answer.get("outcome") != Outcome.FAILED and one.action.tdsp != "silent":
            continue
        wrong = _same(one, (*_TOLD, *_REACHES) if one.action.kind == "INTERVALS" else _TOLD)
        for final in one.finals:
            read, power = final.get("odrRead") or {}, final.get("powerStatus") or {}
            if read.get("registeredRead"):
                wrong = f"a register of {read['registeredRead']} kWh is told, and nobody read it"
            if power.get("status", "UNKNOWN") != "UNKNOWN":
                wrong = f"its power is told {power['status']}, and nobody knows that"
        yield one.saw(not wrong if one.finals else None, wrong or "it is not told to be over")


#: What a status tells of a request, as documented.
_STATUS = ("statusCode", "statusReason", "gap", "uncovered", "holes", "quality", "odrRead", "powerStatus", "refusal")


def _final(looked: Looked) -> Seen:
    for one in looked.citing("SMT-FINAL"):
        back = one.back("answer")
        over = [poll.reply or {} for poll in one.polls if back is None or poll.at_us >= back.at_us]
        over = [*dropwhile(lambda told: told.get("statusCode") not in ("0", "1"), over)]
        for before, told in pairwise(over):
            other = [
                name for name in (*_STATUS, *_TOLD, *_REACHES) if _plain(told.get(name)) != _plain(before.get(name))
            ]
            if other:
                yield one.saw(False, f"{other[0]} was {_short(before.get(other[0]))}, and is {_short(told.get(other[0]))} when it is asked for again")  # fmt: skip
                break
        else:
            if len(over) > 1:
                yield one.saw(True, "")


def _at_once(looked: Looked) -> Seen:
    for one in looked.citing("SMT-AT-ONCE"):
        beside = [each for each in looked.asked if each.step is one.step and each.record.at == one.record.at]
        if len(beside) < 2 or one.filed is None:
            continue
        inquired = one._inquiry[0]
        answered = min((back.at_us for each in beside if (back := each.back("answer"))), default=None)
        wrong = "" if one.told.get("correlationId") else "it is not taken while others are under way"
        if inquired is None:
            wrong = "nothing is inquired for it while others are under way"
        if inquired is not None and answered is not None and inquired.at_us > answered:
            wrong = "it is inquired for when another request is answered"
        yield one.saw(not wrong, wrong)


def _pending(looked: Looked) -> Seen:
    for one in looked.citing("SMT-PEN"):
        back = one.back("answer")
        if back is None or not one.polls or one.late(back) or any(poll.code for poll in one.polls):
            continue
        before = [(poll.reply or {}).get("statusCode") for poll in one.polls if poll.exchange.at_us < back.at_us]
        last = (one.polls[-1].reply or {}).get("statusCode")
        said = f"before it is answered its status is {before}, and in the end {last}"
        yield one.saw(set(before) == {"PEN"} and last in ("0", "1"), said)


#: By id what is seen of it.
SEEN: dict[str, Callable[[Looked], Seen]] = {
    "SMT-UNCHANGED": _handed_on("SMT-UNCHANGED", _TOLD),
    "SMT-REACHES": _handed_on("SMT-REACHES", _REACHES),
    "SMT-QUALITY": _quality,
    "SMT-READS": _reads,
    "SMT-HOLE": _hole,
    "SMT-FIRST": _first,
    "SMT-LINK-KEY": _not_taken("SMT-LINK-KEY", "no_key", "a call-back without the key"),
    "SMT-LINK-SEAL": _not_taken("SMT-LINK-SEAL", "no_seal", "a call-back at another address"),
    "SMT-LATE": _late,
    "SMT-T-FAILED": _lost,
    "SMT-FAILED": _failed,
    "SMT-SILENT": _silent,
    "SMT-FINAL": _final,
    "SMT-AT-ONCE": _at_once,
    "SMT-PEN": _pending,
}
