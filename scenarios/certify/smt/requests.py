"""What is seen of how an SMT takes a request: errors, whose ESI IDs, what it inquires of the TDSP."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import ValidationError

from headend.ondemand.gap import GAP_LIMIT
from headend.wire import InquiryRequest
from meters.calendar import (
    INTERVAL_S,
    Seconds,
    ends_within,
    floor_interval,
    iso,
    to_s,
)
from scenarios.actions.market.usage_read import RecordedUsage
from scenarios.certify.observed import Observation
from scenarios.certify.said import READS, Said, rows_of, said_of
from scenarios.certify.smt.asked import Asked, Seen, instant_of
from scenarios.certify.smt.looked import Looked
from scenarios.certify.truth import posted_to
from simulator.smt.errors import BAD_FIELD, BUSINESS, GATEWAY, UNROUTED

#: Seconds that an inquiry must leave the TDSP. A default of this project.
_LEAST_S = 15 * 60
#: What must be the same of an ESI ID that is another's and of one that is nobody's.
_ALIKE = ("errorCode", "errorMessage")


def _errors(looked: Looked) -> Seen:
    for step in looked.steps:
        for one in map(said_of, step.market):
            wrong = _undocumented(one)
            if wrong is not None:
                ref = str(one.exchange.ids.get("trans_id") or one.path)
                yield Observation(step.name, ref, not wrong, wrong, (one.exchange.n,))


def _undocumented(one: Said) -> str | None:
    """What of an error is documented nowhere; None for what is no error."""
    reply, status = one.reply, one.status
    if reply is None:
        return f"HTTP {status} without a JSON object is no documented answer"
    if "error" in reply:
        known = {(row.status, row.message) for row in GATEWAY.values()}
        return "" if (status, reply["error"]) in known else f"HTTP {status} with {reply['error']!r} is not documented"
    code = reply.get("errorCode")
    if code is None:
        return None if status == 200 else f"HTTP {status} tells no error"
    at = {BAD_FIELD: 400} | {row.code: row.http for row in UNROUTED.values()} | dict.fromkeys(BUSINESS, 200)
    return "" if at.get(code) == status else f"{code} with HTTP {status} is not documented"


def _of_record(looked: Looked) -> Seen:
    for one in looked.citing("SMT-AC1"):
        if one.inquiry:
            yield one.saw(False, "the TDSP is inquired of for one who is not of record")
        elif one.filed is not None:
            code = one.filed.code
            yield one.saw(code == "AC1", f"one who is not of record is told {code or one.told}")
    for step, action, _ in looked.left("SMT-AC1", RecordedUsage):
        for said in map(said_of, step.market):
            if said.path == READS and said.exchange.ids.get("trans_id") == action.ref:
                days = len(rows_of(said.reply or {}, "energyData"))
                text = f"one who is not of record is told {said.code or f'{days} days of usage'}"
                yield Observation(step.name, action.ref, said.code == "AC1" and not days, text, (said.n,))


def _alike(looked: Looked) -> Seen:
    for step in looked.steps:
        its = [one for one in looked.citing("SMT-ALIKE") if one.step is step]
        for one in its[1:]:
            words = [{name: each.told.get(name) for name in _ALIKE} for each in (its[0], one)]
            refused = all(each.filed is not None and each.filed.code for each in (its[0], one))
            said = f"of another's ESI ID is said {words[0]}, of nobody's {words[1]}"
            yield one.saw(words[0] == words[1] if refused else None, said if refused else "one of them is not refused")


def _taken(looked: Looked) -> Seen:
    for one in looked.citing("SMT-TAKEN"):
        key = one.told.get("correlationId")
        if one.inquiry and not key:
            yield one.saw(False, "it is taken, and has no correlationId")
        elif key:
            met = [poll.code for poll in one.polls if poll.code == "CORRELATION"]
            yield one.saw(
                bool(one.polls) and not met and one.told.get("statusCode") == "0",
                "it is not known by the correlationId that it was given" if met else "it is not told to be taken",
            )


def _inquired(looked: Looked) -> Seen:
    for one in looked.citing("SMT-INQUIRY"):
        if not one.told.get("correlationId"):
            continue
        wrong = (
            "nothing is inquired" if not one.inquiry else "it does not bear SMT's key" if not one.record.keyed else ""
        )
        try:
            said = InquiryRequest.model_validate(one.inquiry) if one.inquiry else None
        except ValidationError as error:
            said, wrong = None, f"{'.'.join(map(str, error.errors()[0]['loc']))}: {error.errors()[0]['msg']}"
        if said is not None and said.kind != one.action.kind:
            wrong = f"{said.kind.value} is asked for, not {one.action.kind}"
        yield one.saw(not wrong, wrong)


def _intervals(looked: Looked, ident: str) -> Iterator[tuple[Asked, Seconds, Seconds, Seconds]]:
    """Requests for intervals: where the inquiry's gap begins and ends, and the end of what was posted."""
    for one in looked.citing(ident):
        start, end = (instant_of(one.inquiry.get(edge)) for edge in ("start", "end"))
        if one.action.kind == "INTERVALS" and start is not None and end is not None:
            assert one.step.recording is not None
            yield one, start, end, posted_to(one.step.recording.scenario, one.record.at)


def _gap(looked: Looked) -> Seen:
    for one, start, end, posted in _intervals(looked, "SMT-GAP"):
        last = floor_interval(one.record.at)
        right = (start, end) == (posted, last)
        yield one.saw(right, f"{iso(start)} to {iso(end)} is asked for, the gap is {iso(posted)} to {iso(last)}")


def _hours_48(looked: Looked) -> Seen:
    for one, start, end, posted in _intervals(looked, "SMT-48-HOURS"):
        first = end - GAP_LIMIT * INTERVAL_S
        asked = len(ends_within(start, end))
        if start != first:
            yield one.saw(False, f"{asked} quarter hours are asked for")
        elif one.final:
            told = [
                (instant_of(each.get("start")), instant_of(each.get("end")))
                for each in one.final.get("uncovered") or []
            ]
            yield one.saw(told == [(posted, start)], "it is not told what the gap leaves uncovered")


def _answer_by(looked: Looked) -> Seen:
    for one in looked.citing("SMT-ANSWER-BY"):
        if one.inquiry:
            by, at = one.answer_by, one._inquiry[0]
            left = None if by is None or at is None else by - to_s(at.at_us)
            yield one.saw(left is not None and left >= _LEAST_S, f"the TDSP is given {left} s")


def _reference(looked: Looked) -> Seen:
    for one in looked.citing("SMT-REFERENCE"):
        if one.inquiry:
            told = one.inquiry.get("callReference")
            yield one.saw(told == one.action.ref, f"the call is {one.action.ref}, and {told!r} is handed on")


#: By id what is seen of it.
SEEN: dict[str, Callable[[Looked], Seen]] = {
    "SMT-ERRORS": _errors,
    "SMT-AC1": _of_record,
    "SMT-ALIKE": _alike,
    "SMT-TAKEN": _taken,
    "SMT-INQUIRY": _inquired,
    "SMT-GAP": _gap,
    "SMT-48-HOURS": _hours_48,
    "SMT-ANSWER-BY": _answer_by,
    "SMT-REFERENCE": _reference,
}
