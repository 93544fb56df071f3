"""What is seen of what a retailer asks of SMT for each customer's call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from meters.calendar import iso, to_s
from scenarios.certify.ror.calls import Called, Seen
from scenarios.certify.said import ODR, POWER, READS, STATUS, TOKEN, Said

#: Model seconds before the caller's patience ends, from which on a retailer may stop asking. A default of this project.
_NEARLY_S = 60
#: The same call again for an ESI ID that is another's, and polls by one id in one instant, at most. Defaults of this project.
_TRIES, _AT_ONCE = 2, 20
#: What draws an error of SMT's.
_DRAWS = {
    "bad_login": TOKEN,
    "no_password": TOKEN,
    "METER": ODR,
    "CORRELATION": STATUS,
    "REQUESTOR": "/v2/",
    "DUNS": "/v2/",
    "TERMS": "/v2/",
    "INVALID-DATE": READS,
}


def _reviews(calls: Sequence[Called]) -> Seen:
    # Who was told of the gap earlier in the day need not ask again.
    known: set[str] = set()
    for call in calls:
        reads, asked = call.to(READS), call.to(ODR)
        sound = reads.where(lambda one: one.status == 200 and not one.code and not one.paged)
        balance = call.action.question == "balance" and call.own and call.posted_to < call.last_end
        if balance and sound and not asked and call.step.name not in known:
            said = f"what was posted ends {iso(call.posted_to)}, the balance is asked for, and it asks for no more"
            yield call.saw(False, said, reads)
            continue
        known |= {call.step.name} if call.filed else set()
        if asked and call.action.question == "last_bill":
            yield call.saw(False, "it asks for a read that the question has no need of", asked)
        elif asked and (not reads or reads[0].n > asked[0].n):
            yield call.saw(False, "it asks for a read, and has not looked at the posted usage", asked)
        elif reads:
            yield call.saw(True, "", reads)


def _asks_gap(calls: Sequence[Called]) -> Seen:
    for call in calls:
        for one in call.filed:
            kind, esiid = (one.request.kind, one.request.esiid) if one.request else ("", "")
            yield call.saw(kind == "INTERVALS" and esiid == call.esiid, f"it asks for {kind} of {esiid}", [one])


def _one_request(calls: Sequence[Called]) -> Seen:
    known: dict[tuple[str, str], Called] = {}
    for call in calls:
        filed = call.filed_at(ODR, POWER)
        if len(filed) > 1:
            yield call.saw(False, f"{len(filed)} requests are made for one call", filed)
            continue
        for one in filed:
            reference = one.request.reference if one.request else ""
            first = known.setdefault((call.step.name, reference), call) if reference else call
            yield call.saw(
                first is call, f"its request names the call {reference}, as that of {first.action.ref} does", [one]
            )


def _names_call(calls: Sequence[Called]) -> Seen:
    for call in calls:
        for one in call.filed:
            yield call.saw(bool(one.request and one.request.reference), "its request names no call", [one])


def _follows(calls: Sequence[Called]) -> Seen:
    for call in calls:
        taken = call.filed.where(lambda one: bool(one.request and one.request.key))
        if call.action.question == "last_bill":
            yield call.saw(not taken, "it asks for a read where the balance is not asked for", taken)
            continue
        if not taken:
            continue
        polls = call.to(STATUS)
        taken_on = Counter(one.at_us for one in polls if one.status != 401)
        at_once = max(taken_on.values(), default=0)
        open_still = not polls or call.answer.get("statusCode") == "PEN" or all(one.code for one in polls)
        last = to_s(polls[-1].at_us) if polls else call.record.at
        # Who took another's answer for its own is told of that alone.
        if polls and (all(one.code for one in polls) or polls[-1].n in {one.n for one in call.others}):
            continue
        if at_once > _AT_ONCE:
            yield call.saw(False, f"it asks {at_once} times in one instant", polls)
        else:
            early = open_still and last < call.hung_up - _NEARLY_S
            yield call.saw(
                not early,
                f"it asks for the last time at {iso(last)}, has no answer, and the caller waits to {iso(call.hung_up)}",
                polls or taken,
            )


def _tokens(calls: Sequence[Called]) -> Seen:
    for call in calls:
        dead: dict[str, list[Said]] = {}
        for one in call.said.where(lambda one: one.status == 401 and one.path != TOKEN):
            dead.setdefault(str(one.exchange.ask["headers"].get("authorization")), []).append(one)
        for its in dead.values():
            yield call.saw(len(its) <= _TRIES, f"{len(its)} calls bear a token that is not taken", its)


def _pages(calls: Sequence[Called]) -> Seen:
    for call in calls:
        for one in call.said.where(lambda one: one.status == 503 and one.paged):
            again = call.to(one.path)[-1].n > one.n
            in_time = to_s(one.at_us) < call.hung_up - _NEARLY_S
            if again or in_time:
                yield call.saw(again, f"{one.path} is answered with a page, and not asked again", [one])


def _another(calls: Sequence[Called]) -> Seen:
    for call in calls:
        met = call.said.where(lambda one: one.code == "AC1")
        if call.own and met:
            yield call.saw(False, "it asks for an ESI ID that is not its own", met)
        elif call.own and call.filed:
            yield call.saw(True, "", call.filed)
        elif met:
            times = max(Counter(one.path for one in met).values())
            yield call.saw(times <= _TRIES, f"it asks {times} times for an ESI ID that is another's", met)


def _draws(code: str, path: str) -> Callable[[Sequence[Called]], Seen]:
    """An error of SMT's that a sound request does not draw."""

    def seen(calls: Sequence[Called]) -> Seen:
        for call in calls:
            its = call.to(path).where(lambda one: path != "/v2/" or one.path != TOKEN)
            drawn = its.where(lambda one: one.code == code)
            fine = its.where(lambda one: one.status == 200 and one.code is None)
            if drawn:
                yield call.saw(False, f"SMT answers {code}: {_message(drawn[0])}", drawn)
            elif fine:
                yield call.saw(True, "", fine)

    return seen


def _message(one: Said) -> str:
    reply = one.reply or {}
    return str(reply.get("errorMessage") or reply.get("error") or "")


def _rule(ident: str) -> Callable[[Sequence[Called]], Seen]:
    """A rule for requests, as SMT's ledger has it."""

    def seen(calls: Sequence[Called]) -> Seen:
        for call in calls:
            assert call.step.recording is not None
            by_key = {entry.key: entry for entry in call.step.recording.ledger}
            for one in call.filed:
                entry = by_key.get(one.request.key if one.request else "")
                if entry is not None:
                    broken = [step for step in entry.transitions if step.rule == ident]
                    yield call.saw(not broken, broken[0].reason if broken else "", [one])

    return seen


#: By id what is seen of it; of slips that SMT takes, what its ledger says.
SEEN: dict[str, Callable[[Sequence[Called]], Seen]] = {
    "S2": _reviews,
    "S3": _asks_gap,
    "UC-N1": _one_request,
    "UC-N5": _follows,
    "AMB-10": _names_call,
    "bad_token": _tokens,
    "text_503": _pages,
    "AC1": _another,
    **{ident: _draws(ident, path) for ident, path in _DRAWS.items()},
    **{ident: _rule(ident) for ident in ("REQUESTER-TYPE", "UNKNOWN-FIELD", "TERMS-LEFT-OUT")},
}
