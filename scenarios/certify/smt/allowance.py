"""What is seen of an SMT's throttle, counted again, and of its refusals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from meters.calendar import (
    day_of,
    day_start,
    iso,
)
from scenarios.certify.smt.asked import Asked, Seen, instant_of
from scenarios.certify.smt.breaches import was_admitted
from scenarios.certify.smt.looked import Looked


def _throttle(ident: str, *, too_many: bool = False, refused: bool = False) -> Callable[[Looked], Seen]:
    """Whether the throttle kept its rules at the requests that cite an id: too_many, one is not let in; refused, it is not turned away."""

    def seen(looked: Looked) -> Seen:
        for one in looked.citing(ident):
            if one.filed is None or not (one.inquiry or one.turned_away):
                continue
            before = [
                each
                for each in looked.asked
                if each.step is one.step
                and each.record.at < one.record.at
                and _esiid(each) == _esiid(one)
                and (each.action.kind == "POWER") is (one.action.kind == "POWER")
            ]
            if ident != "SMT-ROOM" and not any(was_admitted(each) for each in before):
                yield one.saw(None, "no read before it was let through")
                continue
            broken = [
                each
                for each in looked.broken.get((one.step.name, one.action.ref), [])
                if (too_many and each.limit) or (refused and not each.limit)
            ]
            yield one.saw(not broken, broken[0].what if broken else "")

    return seen


def _esiid(one: Asked) -> str:
    return "" if one.filed is None else str(one.filed.ask.get("ESIID"))


def _refused(one: Asked) -> dict[str, Any] | None:
    """The refusal that is told of it, at once or with what the store holds."""
    told = one.told.get("refusal") or one.final.get("refusal")
    return told if isinstance(told, dict) else None


def _refusal(looked: Looked) -> Seen:
    for one in looked.citing("SMT-REFUSAL"):
        if was_admitted(one) or one.filed is None or (one.inquiry and not one.final) or looked.had_room(one):
            continue
        told = _refused(one) or {}
        again = instant_of(told.get("retryAt"))
        lacks = [name for name in ("code", "reason", "retryAt") if not told.get(name)]
        tomorrow = day_start(day_of(one.record.at) + timedelta(days=1))
        said = (
            f"it lacks {', '.join(lacks)}"
            if lacks
            else f"it says {told.get('retryAt')}, and there is room from {iso(tomorrow)} on"
        )
        yield one.saw(not lacks and again == tomorrow, said)


def _store_only(looked: Looked) -> Seen:
    for one in looked.citing("SMT-STORE-ONLY"):
        if one.action.kind != "INTERVALS" or not one.final or was_admitted(one) or looked.had_room(one):
            continue
        refused = one.final.get("statusCode") == "1" and _refused(one) is not None
        some = not one.answer.get("intervals") or bool(one.final.get("intervals"))
        said = "what the store holds is not told" if refused else "it is not told that the meter was not read"
        yield one.saw(refused and some, said)


#: By id what is seen of it.
SEEN: dict[str, Callable[[Looked], Seen]] = {
    "SMT-ONE-A-DAY": _throttle("SMT-ONE-A-DAY", too_many=True),
    "SMT-ROOM": _throttle("SMT-ROOM", refused=True),
    "SMT-FAILED-FREE": _throttle("SMT-FAILED-FREE", refused=True),
    "SMT-UNDER-WAY": _throttle("SMT-UNDER-WAY", too_many=True),
    "SMT-DAY": _throttle("SMT-DAY", too_many=True, refused=True),
    "SMT-SHARED": _throttle("SMT-SHARED", too_many=True),
    "SMT-PT-SHARED": _throttle("SMT-PT-SHARED", too_many=True),
    "SMT-STORE-ONLY": _store_only,
    "SMT-REFUSAL": _refusal,
}
