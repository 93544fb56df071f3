"""What is seen of a head-end: each id holds for an honest exchange, and fails for the one that contradicts it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from headend.wire import InquiryResult
from meters.calendar import Seconds, epoch, iso, micros, seconds, to_us
from scenarios.actions.outside import inquire
from scenarios.actions.outside.inquire import Inquire, RecordedInquiry
from scenarios.certify import judged
from scenarios.certify.headend.answered import SEEN
from scenarios.certify.headend.seen import seen
from scenarios.certify.observed import MOST, Asked, Observation, Observed, Step
from scenarios.certify.statement import load
from scenarios.certify.strangers import FOLDER
from scenarios.outside import call_backs
from scenarios.parts.expected import Expectation
from scenarios.recording import Recording
from scenarios.rules.certified import claimed
from simulator.tap.chain import Exchange

ESIID, AT = "10443729924385485", epoch("2026-08-12T17:40:00-05:00")
STEP = Step("step", "A step", None, None)
Change = dict[str, Any]
HONEST_S, CLOCK_S = seconds(0), seconds(60)


def wh(end: int) -> int:
    return end // 900 % 400


def truth(first: int, last: int) -> dict[int, tuple[int, int]]:
    return {end: (wh(end), 1_000_000 + end - first) for end in range(first, last + 900, 900)}


def told(start: str, end: str, *, swept: int) -> list[dict[str, Any]]:
    ends = range(epoch(start) + 900, epoch(end) + 900, 900)
    of = {True: "store", False: "meter"}
    return [
        {
            "end": iso(seconds(one)),
            "wh": wh(one),
            "source": of[one <= swept],
            "collectedAt": iso(seconds(swept if one <= swept else AT)),
        }
        for one in ends
    ]


def asked(
    kind: str = "INTERVALS",
    *,
    action: Change | None = None,
    said: Change | None = None,
    clock_s: Seconds = HONEST_S,
    ref: str = "one",
    **record: Any,
) -> Asked:
    """An honest inquiry with its answer, and what is otherwise: of the action, the answer, the record."""
    action, start, end = action or {}, "2026-08-12T12:00:00-05:00", "2026-08-12T17:30:00-05:00"
    start, end = action.pop("start", start), action.pop("end", end)
    # It is asked ten minutes after the gap.
    at = max(AT, epoch(end) + seconds(600))
    gap = {"start": start, "end": end} if kind == "INTERVALS" else {}
    done = Inquire(do="inquire", at=iso(at), ref=ref, kind=kind, expect=Expectation(), **gap, **action)
    may, swept = done.meter_allowed, epoch("2026-08-12T16:00:00-05:00") if done.store_allowed else 0
    answer: dict[str, Any] = {"correlationId": "1", "outcome": "completed", "meterReads": int(may)}
    if kind == "INTERVALS":
        its = [one for one in told(start, end, swept=swept) if may or one["source"] == "store"]
        answer |= {"intervals": its, "reachesTo": its[-1]["end"]} | ({} if may else {"outcome": "refused"})
    elif kind == "REGISTER":
        answer["register"] = {"wh": 1_000_000 + at - epoch(start), "at": iso(at)}
    else:
        answer["power"] = {"status": "ON", "source": "reply", "switchState": "CLOSED"}
    answer = {name: one for name, one in (answer | (said or {})).items() if one is not None}
    came = {"at": iso(at), "keyed": True, "sealed": True, "status": 202, "body": json.dumps(answer)}
    whose = ESIID if done.whose == "own" else "10443799999999999"
    what = {"correlationId": "1", "kind": kind, "esiid": whose, "meterAllowed": may, "storeAllowed": done.store_allowed}
    until = iso(at + done.answer_within_s)
    left = {
        "at": iso(at),
        "asked": what | gap | {"answerBy": until},
        "status": 202,
        "told": "",
        "most_wh": 12_000,
        "meters": 1,
    }
    made = RecordedInquiry.model_validate(left | {"came": [came]} | record)
    return Asked(STEP, done, made, clock_s)


def observed(*inquiries: Asked) -> Observed:
    held = {ESIID: truth(epoch("2026-08-12T12:00:00-05:00"), epoch("2026-08-12T18:00:00-05:00"))}
    held[ESIID] |= truth(epoch("2026-08-10T12:00:00-05:00"), epoch("2026-08-10T13:00:00-05:00"))
    all_of_it = Observed((), {}, held, given={ESIID: {epoch("2026-08-10T13:00:00-05:00"): GIVEN_WH}})
    # A repeated one has the id of the first.
    played = cast(Recording, SimpleNamespace(actions={inquiries[0].action.ref: inquiries[0].record}))
    its = [replace(one, step=replace(one.step, recording=played)) for one in inquiries]
    all_of_it.__dict__["inquiries"] = lambda: iter(its)
    return all_of_it


def marks(ident: str, *inquiries: Asked) -> list[bool | None]:
    return [one.held for _, one in seen(observed(*inquiries), [ident])]


def came(body: Change | None = None, **otherwise: Any) -> Change:
    answered = json.loads(asked().record.came[0].body) | (body or {})
    return {
        "at": iso(AT), "keyed": True, "sealed": True, "status": 202, "body": json.dumps(answered)
    } | otherwise  # fmt: skip


def test_where_judging_breaks_nothing_is_told_of_that_id_and_the_others_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def breaks(*_: Any) -> Iterator[Observation]:
        yield from ()
        raise RecursionError

    monkeypatch.setitem(SEEN, "HE-TRUTH", breaks)
    (broken, *_), (taken, *_) = (
        [one for of, one in seen(observed(FIRST), ["HE-TRUTH", "HE-TAKEN"]) if of == ident]
        for ident in ("HE-TRUTH", "HE-TAKEN")
    )
    assert broken.broke
    assert (taken.held, taken.broke) == (True, False)
    monkeypatch.setitem(judged._SEEN, "headend", lambda *_: iter([("HE-TRUTH", broken), ("HE-TAKEN", taken)]))
    told = judged.result_of(load(FOLDER / "headend.yaml"), Observed((), {"bears": {}}, {}))
    found = {one["id"]: one for one in told["ids"]}
    assert (found["HE-TRUTH"]["mark"], told["mark"], told["certificate"]) == ("inconclusive", "inconclusive", False)
    assert found["HE-TRUTH"]["said"].startswith("What is there cannot be judged (RecursionError in test_headend.py")


FIRST = asked()
DAY = {"start": "2026-08-12T00:00:00-05:00"}
SPRING = {"start": "2026-03-08T00:00:00-06:00", "end": "2026-03-09T00:00:00-05:00"}
FALL = {"start": "2026-11-01T00:00:00-05:00", "end": "2026-11-02T00:00:00-06:00"}
SPRINGS_96, FALLS_96 = (
    told(start, end, swept=epoch(end))
    for start, end in (
        ("2026-03-08T00:00:00-06:00", "2026-03-09T01:00:00-05:00"),
        ("2026-11-01T00:00:00-05:00", "2026-11-01T23:00:00-06:00"),
    )
)
HOURS_48 = {"start": "2026-08-10T17:30:00-05:00"}
ERROR, CUT = came(status=500), came(status=None)
MADE_UP = [one | {"wh": 5000} for one in told("2026-08-12T12:00:00-05:00", "2026-08-12T17:30:00-05:00", swept=0)]
OF_METER = [
    one | {"source": "meter"} for one in told("2026-08-12T12:00:00-05:00", "2026-08-12T17:30:00-05:00", swept=0)
]
NOTHING: Change = {"intervals": [], "reachesTo": "2026-08-12T12:00:00-05:00"}
#: An hour in whose last quarter energy was given.
GIVES, GIVEN_WH = {"start": "2026-08-10T12:00:00-05:00", "end": "2026-08-10T13:00:00-05:00"}, 777
OF_GIVES = told(GIVES["start"], GIVES["end"], swept=epoch(GIVES["end"]))
REFUSED: Change = {"intervals": [], "outcome": "failed", "meterReads": 0, "reachesTo": None}
ONLY = {"meter_allowed": False}


def of_collected(ahead: Seconds) -> list[dict[str, Any]]:
    return [one | {"collectedAt": iso(AT + ahead)} for one in OF_METER]


def shown(shows: str, told_at: str) -> Change:
    """A register as the meter shows it at one time of the day, told as of another."""
    wh = 1_000_000 + epoch(f"2026-08-12T{shows}-05:00") - epoch("2026-08-12T12:00:00-05:00")
    return {"register": {"wh": wh, "at": f"2026-08-12T{told_at}-05:00"}}


def power(status: str, source: str) -> Change:
    return {"power": {"status": status, "source": source, "switchState": "UNKNOWN"}}


def powered(**otherwise: Any) -> Change:
    """A power status of a meter that has power, as of now."""
    return {
        "power": {"status": "ON", "source": "reply", "switchState": "CLOSED", "voltage": 241.0, "at": iso(AT)}
        | otherwise
    }


def after(kind: str, said: Change, *, status: int = 202) -> Asked:
    """A power inquiry after the meter has told something unasked, and another meter another thing; of what it tells later nothing is known yet."""
    told_s = [
        (-2, ESIID, "restoration"),
        (-1, ESIID, kind),
        (0, "10443799999999999", "momentary"),
        (1, ESIID, "momentary"),
    ]
    events = tuple(
        Exchange(n, to_us(AT + seconds(by)), micros(0), "events", "meters", "TDSP", {}, {"body": json.dumps({"events": [{"esiid": esiid, "kind": one, "at": iso(AT + seconds(by - 9))}]})}, {"status": status})
        for n, (by, esiid, one) in enumerate(told_s, 1)
    )  # fmt: skip
    one = asked("POWER", said=said)
    return replace(one, step=replace(one.step, events=events))


def partial(begins: str, *, to: str = "17:40:00", wh: int = 60) -> Change:
    """What an answer tells of the quarter hour that runs."""
    at, to = (f"2026-08-12T{one}-05:00" for one in (begins, to))
    return {"partial": {"from": at, "asOf": to, "seconds": epoch(to) - epoch(at), "wh": wh}}


#: By id honest exchanges, and such as contradict it and no other id: with its rule switched off they would pass.
#: What cannot be without another: 96 quarter hours of a day of 92 are four too many, and four too few of one of 100, which is not completed then.
ALSO = {"HE-DST-SPRING": {"SURPLUS"}, "HE-DST-FALL": {"HE-ANSWERS-INTERVALS"}}
TABLE: list[tuple[str, list[Asked], list[Asked]]] = [
    ("HE-TAKEN", [asked()], [asked(status=400, came=[])]),
    ("HE-IN-TIME", [asked()], [asked(came=[])]),
    ("HE-IN-TIME", [asked()], [asked(came=[came(at="2026-08-12T18:30:00-05:00")])]),
    ("HE-ANSWERS-INTERVALS", [asked()], [asked(said=NOTHING | {"outcome": "failed"})]),
    ("HE-ANSWERS-REGISTER", [asked("REGISTER")], [asked("REGISTER", said={"outcome": "failed", "register": None})]),
    ("HE-ANSWERS-POWER", [asked("POWER")], [asked("POWER", said={"outcome": "refused", "power": None})]),
    ("HE-BEARS-KEY", [asked()], [asked(came=[came(keyed=False, status=401)])]),
    ("HE-BEARS-KEY", [asked()], [asked(came=[came(sealed=False, status=403)])]),
    ("HE-ASKS-KEY", [asked(action={"key": "none"}, status=401, came=[])], [asked(action={"key": "none"})]),
    ("HE-ONCE", [FIRST, asked(action={"again": "one"}, came=[])], [FIRST, asked(action={"again": "one"})]),
    ("HE-OTHER", [FIRST, asked(action={"again": "one"} | DAY, status=409, came=[])], [FIRST, asked(action={"again": "one"} | DAY, came=[])]),
    ("HE-STRANGER", [asked(action={"whose": "stranger"}, said=REFUSED)], [asked(action={"whose": "stranger"})]),
    ("HE-AGAIN-500", [asked(action={"meets": ["error"]}, came=[ERROR, came()])], [asked(action={"meets": ["error"]}, came=[ERROR])]),
    ("HE-AGAIN-CUT", [asked(action={"meets": ["cut"]}, came=[CUT, came()])], [asked(action={"meets": ["cut"]}, came=[CUT])]),
    ("HE-AGAIN-SAME", [asked(action={"meets": ["error"]}, came=[ERROR, came()])], [asked(action={"meets": ["error"]}, came=[ERROR, came({"meterReads": 2})])]),
    ("HE-TOO-LATE", [asked(action={"answer_within_s": -60}, said=REFUSED)], [asked(action={"answer_within_s": -60})]),
    ("HE-READS", [asked("REGISTER")], [asked("REGISTER", said={"meterReads": 0})]),
    ("HE-READS", [asked("POWER", said=power("OFF", "event") | {"meterReads": 0})], [asked("POWER", said={"meterReads": 0})]),
    ("HE-STORE-FIRST", [asked(), asked(action=ONLY)], [asked(said={"intervals": OF_METER}), asked(action=ONLY)]),
    ("HE-STORE-ONLY", [asked(), asked(action=ONLY)], [asked(), asked(action=ONLY, said=NOTHING)]),
    ("HE-METER-ONLY", [asked(action={"store_allowed": False})], [asked(action={"store_allowed": False}, said={"intervals": told("2026-08-12T12:00:00-05:00", "2026-08-12T17:30:00-05:00", swept=AT - 6000 - AT % 900)})]),
    ("HE-48-HOURS", [asked(action=dict(HOURS_48))], [asked(action={"start": "2026-08-10T17:15:00-05:00"})]),
    ("HE-DST-SPRING", [asked(action=dict(SPRING))], [asked(action=dict(SPRING), said={"intervals": SPRINGS_96})]),
    ("HE-DST-FALL", [asked(action=dict(FALL))], [asked(action=dict(FALL), said={"intervals": FALLS_96, "reachesTo": FALLS_96[-1]["end"], "outcome": "failed"})]),
    ("HE-TRUTH", [asked()], [asked(said={"intervals": MADE_UP})]),
    ("HE-TRUTH", [asked()], [asked(said={"intervals": [OF_METER[0], *OF_METER[2:]], "missing": [OF_METER[1]["end"]]})]),
    ("HE-PARTIAL", [asked(said=partial("17:30:00"))], [asked(said=partial("17:30:00", wh=11_000))]),
    ("HE-PARTIAL", [asked(said=partial("17:30:00"))], [asked(said=partial("17:30:00", to="17:40:01"))]),
    ("HE-POWER-TOLD", [asked("POWER")], [asked("POWER", said=powered(voltage=3.0))]),
    ("HE-POWER-TOLD", [asked("POWER", said=powered(switchState="UNKNOWN"))], [asked("POWER", said=powered(switchState="OPEN"))]),
    ("HE-POWER-TOLD", [asked("POWER")], [asked("POWER", said=power("OFF", "event"))]),
    ("HE-POWER-TOLD", [after("last_gasp", power("OFF", "event"))], [after("last_gasp", powered(status="OFF", source="event", at=iso(AT + seconds(1))))]),
    ("HE-REGISTER", [asked("REGISTER")], [asked("REGISTER", said={"register": {"wh": 5, "at": iso(AT)}})]),
    ("HOLE", [asked()], [asked(said={"intervals": OF_METER[1:], "reachesTo": "2026-08-12T12:00:00-05:00"})]),
    ("POWER-UNKNOWN", [asked("POWER")], [asked("POWER", said={"power": None})]),
    ("MALFORMED", [asked()], [asked(came=[came({"meterReads": -1}, status=400)])]),
    ("OTHER-ID", [asked(told='{"correlationId": "1"}')], [asked(told='{"correlationId": "2"}')]),
    ("OTHER-ID", [asked(told='{"correlationId": "1"}')], [asked(told="\x01 garbage")]),
    ("OTHER-ID", [asked(told='{"correlationId": "1"}')], [asked(told='{"status": "accepted"}')]),
    ("SECOND-ANSWER", [asked(came=[came(), came()])], [asked(came=[came(), came({"meterReads": 2})])]),
    ("METER-NOT-ALLOWED", [asked(action=ONLY)], [asked(action=ONLY, said={"meterReads": 1})]),
    ("SOURCE-NOT-READ", [asked()], [asked(said={"meterReads": 0})]),
    ("COLLECTED-EARLY", [asked()], [asked(said={"intervals": [OF_METER[0] | {"collectedAt": iso(AT - seconds(86_400))}, *OF_METER[1:]]})]),
    ("COLLECTED-AHEAD", [asked()], [asked(said={"intervals": of_collected(seconds(1))})]),
    ("OFF-QUARTER", [asked()], [asked(said={"intervals": [OF_METER[0] | {"end": "2026-08-12T12:15:37-05:00"}, *OF_METER[1:]]})]),
    ("DUPLICATE", [asked()], [asked(said={"intervals": [*OF_METER, OF_METER[0]]})]),
    ("REACHES-PAST-HOLE", [asked(action=ONLY)], [asked(action=ONLY, said={"reachesTo": "2026-08-12T17:30:00-05:00"})]),
    ("NO-REGISTER", [asked("REGISTER")], [asked("REGISTER", said={"register": None})]),
    ("REGISTER-AT", [asked("REGISTER")], [asked("REGISTER", said=shown("17:40:00", "17:41:00"))]),
    ("POWER-UNBACKED", [asked("POWER")], [asked("POWER", said={"power": {"status": "ON", "source": "none", "switchState": "CLOSED"}})]),
    ("SURPLUS", [asked()], [asked(said={"intervals": [*OF_METER, OF_METER[0] | {"end": "2026-08-12T12:00:00-05:00"}]})]),
    ("PARTIAL-AT", [asked(said=partial("17:30:00"))], [asked(said=partial("17:15:00"))]),
    ("ENERGY-SIZE", [asked()], [asked(said={"intervals": [OF_METER[0] | {"wh": 12_001}, *OF_METER[1:]]})]),
    ("HE-LAST-GASP", [after("last_gasp", power("OFF", "event"))], [after("last_gasp", power("ON", "reply"))]),
    ("HE-LAST-GASP", [after("last_gasp", power("OFF", "event"))], [after("last_gasp", power("OFF", "event"), status=400)]),
    ("HE-POWER-BACK", [after("restoration", power("ON", "reply"))], [after("restoration", power("OFF", "event"))]),
    ("HE-CHANNEL-1", [asked(action=dict(GIVES))], [asked(action=dict(GIVES), said={"intervals": [*OF_GIVES[:-1], OF_GIVES[-1] | {"wh": GIVEN_WH}]})]),
    ("ENERGY-SIGN", [asked()], [asked(said={"intervals": [OF_METER[0] | {"wh": -1}, *OF_METER[1:]]})]),
]  # fmt: skip


def test_every_id_has_its_row() -> None:
    assert {ident for ident, _, _ in TABLE} == SEEN.keys()


@pytest.mark.parametrize(("ident", "sound", "wrong"), TABLE)
def test_an_id_holds_for_an_honest_exchange_and_fails_for_one_that_contradicts_it(
    ident: str, sound: list[Asked], wrong: list[Asked]
) -> None:
    assert set(marks(ident, *sound)) == {True}
    assert {one for one in SEEN if False in marks(one, *wrong)} == {ident} | ALSO.get(ident, set())


@pytest.mark.parametrize(
    ("ident", "within", "beyond"),
    [
        ("COLLECTED-AHEAD", asked(clock_s=CLOCK_S, said={"intervals": of_collected(CLOCK_S)}), asked(clock_s=CLOCK_S, said={"intervals": of_collected(CLOCK_S + seconds(1))})),
        ("REGISTER-AT", asked("REGISTER", clock_s=CLOCK_S, said={"register": {"wh": 1, "at": iso(AT - CLOCK_S)}}), asked("REGISTER", clock_s=CLOCK_S, said={"register": {"wh": 1, "at": iso(AT - CLOCK_S - seconds(1))}})),
        ("REGISTER-AT", asked("REGISTER", clock_s=CLOCK_S, said={"register": {"wh": 1, "at": iso(AT + CLOCK_S)}}), asked("REGISTER", clock_s=CLOCK_S, said={"register": {"wh": 1, "at": iso(AT + CLOCK_S + seconds(1))}})),
        # By a clock a minute behind it is 17:45 already, and the register that of 17:45 to 18:00; by one that is a second better it is not.
        ("HE-REGISTER", asked("REGISTER", clock_s=CLOCK_S, came=[came(shown("17:46:00", "17:44:00"), at="2026-08-12T17:45:00-05:00")]), asked("REGISTER", clock_s=CLOCK_S, came=[came(shown("17:46:00", "17:43:59"), at="2026-08-12T17:45:00-05:00")])),
    ],
)  # fmt: skip
def test_an_instant_of_theirs_may_be_off_by_what_the_statement_says_and_by_no_more(
    ident: str, within: Asked, beyond: Asked
) -> None:
    assert marks(ident, within) == [True]
    assert marks(ident, beyond) == [False]


def at_meters(one: Asked, *esiids: str, after: Seconds = seconds(0)) -> Asked:
    """An inquiry during which meters were read past what the answer tells, and one that another may read."""
    told_s = [*((esiid, one.record.at + after) for esiid in esiids), (ESIID, one.record.at + seconds(120))]
    reads = tuple(
        Exchange(n, to_us(at), micros(0), "modbus", "TDSP", "meters", {"esiid": esiid}, {"pdu": "03"}, {"pdu": "03"})
        for n, (esiid, at) in enumerate(told_s, 1)
    )
    return replace(one, step=replace(one.step, meters=reads), until=one.record.at + seconds(120))


@pytest.mark.parametrize(
    ("ident", "one"),
    [
        ("METER-NOT-ALLOWED", asked(action=dict(ONLY))),
        ("HE-TOO-LATE", asked(action={"answer_within_s": -60}, said=REFUSED)),
    ],
)
def test_what_reaches_a_meter_of_ours_counts_whatever_the_answer_tells(ident: str, one: Asked) -> None:
    assert marks(ident, at_meters(one)) == [True]
    assert marks(ident, at_meters(one, ESIID)) == [False]
    # A sweep that comes just then is no read for the inquiry, and hides none.
    assert marks(ident, at_meters(one, ESIID, "10443720000000024")) == [None]
    assert marks("METER-NOT-ALLOWED", at_meters(asked(), ESIID)) == []


def test_a_read_that_reaches_a_meter_of_ours_is_told_and_is_made_before_the_answer() -> None:
    of_store = told("2026-08-12T12:00:00-05:00", "2026-08-12T17:30:00-05:00", swept=AT)
    stored = asked(said={"intervals": of_store, "meterReads": 0})
    other = "10443720000000024"
    for one, reads, held in (
        (stored, [], True),
        (stored, [ESIID], False),
        (stored, [other], True),
        (stored, [ESIID, other], None),
        (asked(), [ESIID], True),
        # Who reads none of ours by Modbus may know it by another way; else what is told beyond what came is made up.
        (asked(), [], True),
        (asked(said={"meterReads": 4}), [], True),
        (asked(said={"meterReads": 5}), [], False),
        (asked(said={"meterReads": 2}), [ESIID], False),
        (asked(said={"meterReads": 7}), [ESIID] * 7, True),
        (asked(said={"meterReads": 8}), [ESIID] * 7, False),
        (asked(said={"meterReads": 1000}), [ESIID] * MOST, True),
    ):
        assert marks("HE-READS", at_meters(one, *reads)) == [held]
    # The answer came at once; what is made within its second may have been begun before.
    for after, held in ((seconds(0), True), (seconds(1), False), (seconds(119), False)):
        assert marks("HE-READS", at_meters(asked(), ESIID, after=after)) == [held]
    assert marks("HE-READS", at_meters(asked(), ESIID, other, after=seconds(1))) == [None]
    # A meter that tells something meanwhile is asked about that.
    event = {"events": [{"esiid": ESIID, "kind": "restoration", "at": iso(AT)}]}
    heard = Exchange(9, to_us(AT + seconds(60)), micros(0), "events", "meters", "TDSP", {}, {"body": json.dumps(event)}, {"status": 202})  # fmt: skip
    for after, held in ((seconds(59), False), (seconds(60), True)):
        one = at_meters(asked(), ESIID, after=after)
        assert marks("HE-READS", replace(one, step=replace(one.step, events=(heard,)))) == [held]


def test_who_has_meters_of_its_own_or_a_dark_one_may_try_it_as_often_as_it_likes() -> None:
    told = {"meterReads": 1000}
    for one, held in (
        (asked("POWER", said=told, meters=0), True),
        (after("last_gasp", power("OFF", "event") | told), True),
        (after("restoration", powered() | told), False),
    ):
        assert marks("HE-READS", at_meters(one, ESIID)) == [held]
    # Whatever else is asked before the answer: its reads cannot be told from those of the other.
    for reads in ([ESIID], []):
        assert marks("HE-READS", replace(at_meters(asked("POWER", said=told), *reads), until=AT)) == [True]


def called_back(step: str, at: Seconds, body: Change, status: int) -> Step:
    """A step in which an answer to the inquiry comes that was made in another one."""
    said = {"method": "POST", "path": f"{call_backs.PATH}1/seal", "body": came(body)["body"]}
    one = Exchange(9, to_us(at), micros(0), "call-backs", "TDSP", "SMT", {}, said, {"status": status})
    return replace(STEP, name=step, call_backs=(one,))


def test_every_answer_of_the_recording_counts_whenever_it_comes() -> None:
    first, again = asked(), asked(action={"again": "one"}, came=[], ref="two")
    timeline, actions = [first.action], {"one": first.record}
    for body, status, held in (({}, 404, True), ({"meterReads": 2}, 404, False), ({"meterReads": 2}, 401, True)):
        played = cast(Recording, SimpleNamespace(scenario=SimpleNamespace(timeline=timeline), actions=actions))
        later = called_back("later", AT - seconds(900), body, status)
        all_of_it = Observed((replace(STEP, recording=played), later), {}, {})
        ((_, one),) = seen(all_of_it, ["SECOND-ANSWER"])
        assert (one.held, one.cited) == (held, ["later:9"] if held is False else [])
    # Who refuses an inquiry without a key calls nothing back for it.
    (keyless,) = [asked(action={"key": "none"}, status=401, came=[])]
    its = SimpleNamespace(scenario=SimpleNamespace(timeline=[keyless.action]), actions={"one": keyless.record})
    all_of_it = Observed((replace(STEP, recording=cast(Recording, its)), later), {}, {})
    assert [one.held for _, one in seen(all_of_it, ["HE-ASKS-KEY"])] == [False]
    # Of an id that is asked again what comes then is of that one.
    both = {"one": first.record, "two": again.record}
    its = SimpleNamespace(scenario=SimpleNamespace(timeline=[first.action, again.action]), actions=both)
    all_of_it = Observed((replace(STEP, recording=cast(Recording, its)), later), {}, {})
    found = [(ident, one.held) for ident, one in seen(all_of_it, ["SECOND-ANSWER", "HE-ONCE"])]
    assert sorted(found) == [("HE-ONCE", False), ("SECOND-ANSWER", True)]


def test_who_answers_again_and_otherwise_has_no_certificate_and_who_says_the_same_again_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = load(FOLDER / "headend.yaml")
    sound = [(one.id, Observation("step", "one", True, "", (1,))) for one in claimed(said.role, said.claims)]
    for second, certificate in ((came(), True), (came({"meterReads": 2}), False)):
        its = [*seen(observed(asked(came=[came(), second])), ["SECOND-ANSWER"])]
        shown = [*sound, *((ident, replace(one, exchanges=(1,))) for ident, one in its)]
        monkeypatch.setitem(judged._SEEN, "headend", lambda *_, shown=shown: iter(shown))
        assert judged.result_of(said, Observed((), {"bears": {}}, {}))["certificate"] is certificate


def test_an_inquiry_is_over_when_no_clock_that_is_off_as_it_may_be_takes_it_for_open() -> None:
    over, open_still = ({"answer_within_s": -by} for by in (CLOCK_S + 1, CLOCK_S))
    assert marks("HE-TOO-LATE", asked(action=dict(over), clock_s=CLOCK_S)) == [False]
    assert marks("HE-TOO-LATE", asked(action=dict(open_still), clock_s=CLOCK_S)) == []


def test_an_answer_that_cannot_be_read_is_the_same_again_where_its_words_are() -> None:
    bad, other = (came({"meterReads": -by}, status=None) for by in (1, 2))
    for second, same in ((bad, True), (other, False)):
        again = asked(action={"meets": ["cut"]}, came=[bad, second | {"status": 400}])
        assert marks("HE-AGAIN-SAME", again) == [same]


def test_of_an_answer_that_breaks_a_rule_nothing_else_is_said() -> None:
    broken = asked(said={"intervals": MADE_UP[1:]})
    assert marks("HE-TRUTH", broken) == []
    assert marks("HE-STORE-FIRST", broken) == []


def test_a_meter_that_has_told_its_last_gasp_need_not_answer() -> None:
    assert marks("HE-ANSWERS-POWER", after("last_gasp", {"outcome": "failed", "power": None})) == []
    assert marks("HE-ANSWERS-POWER", after("restoration", {"outcome": "failed", "power": None})) == [False]


def test_a_truth_that_has_less_than_is_told_leaves_open_what_it_lacks_and_says_how_much() -> None:
    one, all_of_it = asked(said=partial("17:30:00")), observed(asked())
    end = int(epoch(OF_METER[3]["end"]))
    sparse = replace(all_of_it, truth={ESIID: {end: all_of_it.truth[ESIID][end]}})
    sparse.__dict__["inquiries"] = lambda: iter([one])
    found = dict(seen(sparse, ["HE-TRUTH", "HE-PARTIAL"]))
    assert {ident: (its.held, its.needed) for ident, its in found.items()} == dict.fromkeys(found, (None, True))
    assert found["HE-TRUTH"].said.startswith("of 22 intervals that are told the truth has 1,")
    assert marks("HE-PARTIAL", asked()) == [True]


def test_what_a_head_end_has_not_yet_it_may_call_missing() -> None:
    (one,) = observed(asked(said={"intervals": OF_METER[1:], "missing": [OF_METER[0]["end"]]})).inquiries()
    end = epoch(OF_METER[0]["end"])
    for known, held in ((AT, [False]), (AT + seconds(1), [True])):
        all_of_it = replace(observed(one), late={(ESIID, end): known})
        all_of_it.__dict__["inquiries"] = lambda: iter([one])
        assert [its.held for _, its in seen(all_of_it, ["HE-TRUTH"])] == held


def test_of_48_hours_whose_meter_may_not_be_read_the_store_need_not_hold_all() -> None:
    assert marks("HE-48-HOURS", asked(action=HOURS_48 | ONLY)) == []
    assert marks("HE-STORE-ONLY", asked(action=HOURS_48 | ONLY)) == [True]


def test_what_must_come_before_an_id_is_named_where_it_did_not() -> None:
    assert marks("HE-AGAIN-500", asked(action={"meets": ["error"]}, came=[])) == [None]
    assert marks("HE-AGAIN-500", asked(action={"meets": ["error"]}, status=200, came=[ERROR])) == [None]
    assert marks("HE-AGAIN-500", asked(action={"meets": ["error"]}, status=200, came=[ERROR, came()])) == [True]
    assert marks("HE-STRANGER", asked(action={"whose": "stranger"}, status=None, came=[])) == [None]
    # Whether the store holds anything is known by another answer alone.
    assert marks("HE-STORE-FIRST", asked(said={"intervals": OF_METER})) == [None]


def test_an_answer_is_read_once_however_many_ids_look_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(body: str) -> InquiryResult | None:
        read.append(body)
        return call_backs.read(body)

    monkeypatch.setattr(inquire, "read", counted)
    both = observed(asked(), asked("REGISTER"))
    assert {ident for ident, _ in seen(both, SEEN)} >= {"HE-TAKEN", "HOLE", "REGISTER-AT"}
    assert len(read) == 2
