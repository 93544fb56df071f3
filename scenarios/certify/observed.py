"""What a certification has recorded, step by step, and what was seen in it of an id: an observation with the exchanges that show it."""

from __future__ import annotations

import csv
import json
import traceback
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b, file_digest
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from meters.calendar import Micros, Seconds, ends_within, epoch, iso, micros, seconds, to_s, to_us
from meters.errors import MeterError, reason
from scenarios.actions.outside.customer_calls import CustomerCalls, RecordedCustomerCall
from scenarios.actions.outside.inquire import Inquire, RecordedInquiry
from scenarios.actions.outside.read_meter import ReadMeter, RecordedReading
from scenarios.errors import ScenarioError
from scenarios.evidence import Evidence
from scenarios.judging.exchanges import Traffic, traffic_of
from scenarios.outside.call_backs import NO_KEY, NO_SEAL
from scenarios.parts.written import Name, Spec
from scenarios.recording import WIRE, Recording, load
from simulator.input.mistakes import mistakes_of
from simulator.input.yaml_text import YamlDocument
from simulator.smt.ondemand.judged import Clocks
from simulator.tap.chain import Chain, Exchange, Index, exchanges_at, slow_or_cut

#: What was played and how that ended, beside the steps' folders.
PLAN, STEPS, TRUTH, RECORDING = "plan.json", "steps", "truth.csv", "recording.json"
#: Wires between SMT and a TDSP.
LINK = ("inquiries", "call-backs")
#: The mend of a path at which no certification lies.
WHICH = "Name the folder or the bundle.zip of 'ami certify run'."
#: How a step ended.
WHOLE = "whole"
#: Exchanges of an action that are held, and cited of an observation, at most; what rests on more is read from the file.
MOST = 200
#: Later than anything that is recorded.
LAST = seconds(1 << 40)
#: More than any service carries in a quarter hour, Wh.
_ANY_WH = 1 << 40


@dataclass(frozen=True, slots=True)
class Lines:
    """The exchanges of a file on some wires, on all unless given, read anew each time they are gone through: they may be more than there is room for."""

    index: Index
    wires: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file."""
        return self.index.path

    def __iter__(self) -> Iterator[Exchange]:
        """One after the other."""
        return self.within(seconds(0), LAST)

    def within(self, first: Seconds, last: Seconds) -> Iterator[Exchange]:
        """Those that began between two instants."""
        return self.index.exchanges(self.wires, to_us(first), to_us(last + 1))


def within(those: Iterable[Exchange], first: Seconds, last: Seconds) -> Iterator[Exchange]:
    """Those that began between two instants."""
    if isinstance(those, Lines):
        return those.within(first, last)
    return (one for one in those if first <= to_s(one.at_us) <= last)


@dataclass(frozen=True, slots=True)
class Observation:
    """Something that was seen of an id. ``held``: whether it is as it should be; None: nothing can be told of it, and ``said`` says why.

    needed: the id is not passed without it, whatever else is seen: what SMT would take from it nobody could compare.
    """

    step: str
    ref: str
    held: bool | None
    said: str
    exchanges: tuple[int, ...] = ()
    needed: bool = False
    #: Whether it is that judging it broke, which says nothing of the system.
    broke: bool = False

    @property
    def cited(self) -> list[str]:
        """Its exchanges, by step and number."""
        return [f"{self.step}:{number}" for number in self.exchanges]


def sound(look: Callable[[], Iterator[Observation]]) -> Iterator[Observation]:
    """What is seen, and where judging breaks one that says so: whatever a stranger tells, the rest is judged."""
    try:
        yield from look()
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} in {Path(at.filename).name}, line {at.lineno}"
        said = f"what is there cannot be judged ({where}): it was altered, or that is a fault of ours"
        yield Observation("", "", None, said, broke=True)


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was played. ``own``: faults of ours, because of which nothing of it can be told; ``why``: why it is not whole."""

    name: str
    title: str
    recording: Recording | None
    traffic: Traffic | None
    why: str = ""
    own: tuple[str, ...] = ()
    #: What was asked of SMT's market API, what meters told unasked, and what was asked of them.
    market: Iterable[Exchange] = ()
    events: Iterable[Exchange] = ()
    meters: Iterable[Exchange] = ()
    #: What a TDSP called back, for inquiries of other steps too.
    call_backs: Iterable[Exchange] = ()
    #: What SMT and a TDSP said to each other: in a flight for the retailer, and where SMT is not ours.
    link: Iterable[Exchange] = ()
    #: What customers asked of SMT's portal.
    portal: Iterable[Exchange] = ()
    #: Bills that a retailer told.
    bills: Iterable[Exchange] = ()
    #: All of these, ours too.
    wire: Iterable[Exchange] = ()
    #: What was done at the file site of an SMT that is not ours.
    files: Iterable[Exchange] = ()

    def numbers(self, ref: str, key: str = "", since_us: Micros = micros(0)) -> tuple[int, ...]:
        """The exchanges of an action; key: those of its correlation id alone."""
        its = self.traffic.actions.get(ref, []) if self.traffic else []
        return tuple(
            one.n
            for one in its
            if one.at_us >= since_us and (not key or key in json.dumps(one.ids) or key in one.ask.get("path", ""))
        )

    def made(self, clock_s: Seconds) -> list[Asked]:
        """The inquiries at the head-end that its timeline has, in their order; clock_s: by which its clocks may be off."""
        recording = self.recording
        its = [
            (action, record)
            for action in (recording.scenario.timeline if recording else ())
            if isinstance(action, Inquire)
            and recording is not None
            and isinstance(record := recording.actions.get(action.ref), RecordedInquiry)
        ]
        ends = [*(after.at for _, after in its[1:]), LAST]
        return [Asked(self, *one, clock_s, until=until) for one, until in zip(its, ends, strict=False)]

    def inquiries(self, clock_s: Seconds) -> Iterator[Asked]:
        """All of its inquiries at the head-end, those after that SMT made of its own."""
        if self.recording is None:
            return
        made = self.made(clock_s)
        yield from made
        own = {one.record.key for one in made}
        # What is said again in the same words shows nothing more. A file's are read there again: a retailer may have many made.
        file, held = (self.link.path, []) if isinstance(self.link, Lines) else (None, [*self.link])
        by_key: dict[str, array[int]] = {}
        known: set[bytes] = set()
        for at, one in enumerate(held if file is None else self.link):
            if (key := one.ids.get("correlationId", "")) not in own:
                words = blake2b(
                    f"{key} {one.wire} {one.ask.get('body')} {one.reply}".encode(errors="backslashreplace"),
                    digest_size=16,
                ).digest()
                if words not in known:
                    known.add(words)
                    by_key.setdefault(key, array("q")).append(at if file is None else one.offset)
        rows = (at for its in by_key.values() for at in its)
        found = map(held.__getitem__, rows) if file is None else exchanges_at(file, rows)
        for where in by_key.values():
            its = [*islice(found, len(where))]
            if any(one.wire == "inquiries" for one in its):
                try:
                    yield _asked_by_smt(self, its, clock_s)
                except (KeyError, TypeError, ValueError):
                    text, mend = f"Exchange {its[0].n} is no inquiry.", "Take the bundle as it was written."
                    raise ScenarioError("certify.wire", text, self.name, mend) from None


@dataclass(frozen=True)
class Asked:
    """An inquiry of a step with what came of it; what follows from that is found once."""

    step: Step
    action: Inquire
    record: RecordedInquiry
    #: Seconds by which the head-end's clocks may be off ours.
    clock_s: Seconds
    #: Numbers of its exchanges, of one that SMT made for a retailer; and what SMT found of its answer.
    numbers: tuple[int, ...] = ()
    known: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: When the next one was made; None of one that SMT made, beside which there may be others.
    until: Seconds | None = None

    @cached_property
    def found(self) -> dict[str, tuple[str, str]]:
        """The rules for answers that it breaks, each with field and value."""
        return self.record.found(Clocks(self.clock_s, self.clock_s, self.clock_s)) | self.known

    @cached_property
    def gap(self) -> list[Seconds]:
        """Where the quarter hours end that were asked for; none of a register or a power status."""
        asked = self.record.asked
        return list(ends_within(epoch(asked["start"]), epoch(asked["end"]))) if "start" in asked else []

    @cached_property
    def told(self) -> list[Seconds]:
        """Where those end that the answer tells of, served or missing, each as often as it is told."""
        result = self.record.result
        its = (*(one.end for one in result.intervals), *result.missing) if result else ()
        return sorted(seconds(one.timestamp()) for one in its)

    @cached_property
    def sources(self) -> frozenset[str]:
        """What the answer's intervals are from."""
        return frozenset(one.source for one in self.record.result.intervals) if self.record.result else frozenset()

    def at_meters(self, since: Seconds, until: Seconds = LAST) -> dict[str, list[Exchange]]:
        """By ESI ID what reached meters of ours between two instants, the second left out, before anything else was asked, whatever the answer tells of it."""
        found: dict[str, list[Exchange]] = {}
        if self.until is not None:
            for one in within(self.step.meters, since, min(self.until, until) - seconds(1)):
                its = found.setdefault(one.ids.get("esiid", ""), [])
                if len(its) < MOST:
                    its.append(one)
        return found

    @property
    def first(self) -> RecordedInquiry | None:
        """The inquiry whose id it has."""
        assert self.step.recording is not None
        its = self.step.recording.actions.get(self.action.again or "")
        return its if isinstance(its, RecordedInquiry) else None

    @property
    def plain(self) -> bool:
        """Whether it is one of SMT's like any other: with its key, for an ESI ID of the TDSP's, new, in time."""
        one = self.action
        return one.key == "smt" and one.whose == "own" and one.again is None and one.answer_within_s > 0

    def saw(self, held: bool | None, said: str, *before: Exchange, needed: bool = False) -> Observation:
        """An observation of it, with its exchanges and those that came before it."""
        numbers = (*(one.n for one in before), *self._own)
        return Observation(self.step.name, self.action.ref, held, said, numbers[:MOST], needed)

    @cached_property
    def _own(self) -> tuple[int, ...]:
        ref, key = self.action.again or self.action.ref, self.record.key
        return self.numbers or self.step.numbers(ref, key, to_us(self.record.at))


def _asked_by_smt(step: Step, its: Sequence[Exchange], clock_s: Seconds) -> Asked:
    """An inquiry that SMT made for a retailer in a flight, with what came of it, as its exchanges tell. Once: SMT repeats one that got no reply."""
    assert step.recording is not None
    sent = [one for one in its if one.wire == "inquiries"]
    asked = json.loads(sent[0].ask["body"])
    if not all(type(asked[name]) is str for name in ("correlationId", "kind", "esiid", "answerBy")):
        raise TypeError
    key = str(asked["correlationId"])
    reply = next((one.reply for one in sent if "status" in one.reply), {})
    entry = next((one for one in step.recording.ledger if one.key == key), None)
    record = RecordedInquiry.model_validate(
        {
            "at": iso(to_s(sent[0].at_us)),
            "asked": {name: value for name, value in asked.items() if name != "replyTo"},
            "status": reply.get("status"),
            "told": str(reply.get("body", "")),
            "came": [
                {
                    "at": iso(to_s(one.at_us)),
                    "keyed": one.reply.get("status") != NO_KEY,
                    "sealed": one.reply.get("status") != NO_SEAL,
                    "status": one.reply.get("status"),
                    "body": str(one.ask.get("body", "")),
                }
                for one in its
                if one.wire == "call-backs"
            ],
            "most_wh": _ANY_WH,
        }
    )
    # What the service carries is known to SMT alone: its ledger has what is more.
    found = {
        one.rule: (one.field, one.value) for one in (entry.transitions if entry else ()) if one.rule == "ENERGY-SIZE"
    }
    its_own: dict[str, Any] = {"ref": (entry and entry.call_reference) or key, "kind": asked["kind"]}
    return Asked(step, Inquire.model_construct(**its_own), record, clock_s, tuple(one.n for one in its), found)


@dataclass(frozen=True, eq=False)
class Observed:
    """All that was recorded. ``truth``: by ESI ID and end, Unix seconds, Wh and the register at its end.

    clock_s: seconds by which the system's clocks may be off ours.
    """

    steps: tuple[Step, ...]
    plan: dict[str, Any]
    truth: dict[str, dict[int, tuple[int, int]]]
    clock_s: Seconds = seconds(0)
    #: Wh that premises gave, by ESI ID and end.
    given: dict[str, dict[int, int]] = field(default_factory=dict)
    #: Since when a head-end has what it has late, by ESI ID and end.
    late: dict[tuple[str, int], Seconds] = field(default_factory=dict)

    def inquiries(self) -> Iterator[Asked]:
        """Every inquiry of the steps that can be judged, one after the other: a retailer may have many made."""
        return (asked for step in self.steps if not step.own for asked in step.inquiries(self.clock_s))


class _Ended(Spec):
    """How a step ended, and the digests of what was recorded of it."""

    name: Name
    title: str
    state: str
    why: str
    wire: str
    recording: str


class _Connection(Spec):
    what: str
    well: bool
    said: str


class _Plan(Spec):
    """What ``plan.json`` holds."""

    format: Literal[1]
    only: list[str]
    reply_s: float
    theirs: list[str]
    connection: list[_Connection]
    flight: bool
    bears: dict[Name, list[str]]
    steps: list[_Ended]


def _plan(file: Path) -> dict[str, Any]:
    """What was played. Raises OSError or ValueError for what is no JSON, ScenarioError for a field that is missing or damaged."""
    content = json.loads(file.read_text("utf-8"))
    try:
        return _Plan.model_validate(content).model_dump()
    except ValidationError as error:
        first = mistakes_of(error, content, _Plan, "certify.plan")[0]
        place = YamlDocument(str(file), content).where(first.loc)
        raise ScenarioError(first.code, first.message, place, "Take the bundle as it was written.") from None


def _calls(recording: Recording) -> bool:
    return any(isinstance(one, CustomerCalls) for one in recording.scenario.timeline)


def _unshown(recording: Recording, traffic: Traffic, bills: Lines) -> Iterator[str]:
    """What the recording has of a system that no exchange shows: inquiries with their answers, those under one id together, reads of a meter, and bills."""
    had: dict[str, Counter[str]] = {}
    for action in recording.scenario.timeline:
        record = recording.actions.get(action.ref)
        if isinstance(action, Inquire) and isinstance(record, RecordedInquiry):
            its = had.setdefault(action.again or action.ref, Counter())
            its.update({"inquiries": record.status is not None, "call-backs": len(record.came)})
        if isinstance(action, ReadMeter) and isinstance(record, RecordedReading):
            had[action.ref] = Counter({"modbus": record.exchanges})
    for ref, its in had.items():
        shown = traffic.actions.get(ref, [])
        if len(shown) < MOST and not its <= Counter(one.wire for one in shown):
            what = "A request to the meter" if "modbus" in its else "An inquiry, or an answer to it,"
            yield f"{what} of {ref} is among no exchanges."
    told = sum(isinstance(one, RecordedCustomerCall) and one.bill is not None for one in recording.actions.values())
    if told > sum(1 for _ in bills):
        yield "A bill is among no exchanges."


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _ours(plan: dict[str, Any], wire: Path, chain: Chain) -> Iterator[str]:
    """Faults of ours on the wires: a reply that came late, octets that the tap has not."""
    budget_ms, theirs = float(plan["reply_s"]) * 1000, frozenset(plan["theirs"])
    if not chain.closed:
        yield "The tap was not closed: exchanges may be missing at its end."
    for one in slow_or_cut(wire, budget_ms):
        if one.cut:
            yield f"The tap has not every octet of exchange {one.n} ({one.wire}): a body was too long."
        elif one.wire not in theirs:
            yield f"Our reply of exchange {one.n} ({one.wire}) took {one.ms / 1000:.1f} s, over {budget_ms / 1000:g} s."


def observed(folder: Path) -> Observed:
    """Read what a certification has left in a folder. Raises ScenarioError or SimulatorError for what is damaged, naming file and line."""
    from scenarios.certify.truth import read_given, read_late, read_truth

    try:
        plan, file = _plan(folder / PLAN), folder / TRUTH
        truth, given, late = read_truth(file), read_given(file), read_late(file)
    except (OSError, ValueError, KeyError, RecursionError, csv.Error, MeterError) as error:
        raise ScenarioError("certify.bundle", f"It cannot be read: {reason(error)}.", str(folder), WHICH) from None
    steps, joint = [], bool(plan.get("flight"))
    for one in plan["steps"]:
        its = folder / STEPS / one["name"]
        if one["state"] != WHOLE or not (its / RECORDING).is_file():
            steps.append(
                Step(
                    one["name"],
                    one["title"],
                    None,
                    None,
                    one["why"] or "it was not played",
                    tuple(filter(None, [one["why"]])),
                )
            )
            continue
        if digest_of(its / RECORDING) != one["recording"]:
            text = "It was altered: its digest is not the one that plan.json has."
            raise ScenarioError("certify.recording", text, str(its / RECORDING), "Take the bundle as it was written.")
        recording = load(its / RECORDING)
        traffic = traffic_of(recording, its, MOST)
        if traffic is None or traffic.chain.head != one["wire"]:
            text = "Its exchanges are not those of the run: wire.jsonl is gone, or was cut at its end."
            raise ScenarioError("certify.wire", text, str(its / "wire.jsonl"), "Take the bundle as it was written.")
        all_of_it = ("market", *LINK, "bills")
        index = Index(its / WIRE)
        market, portal, events, meters, call_backs, bills, files = (
            Lines(index, (on,)) for on in ("market", "portal", "events", "modbus", "call-backs", "bills", "files")
        )
        unshown = _unshown(recording, traffic, bills)
        own = (*Evidence(recording).own_faults, *_ours(plan, its / WIRE, traffic.chain), *unshown)
        # Of one that is alone with our SMT the link shows what our own actions show.
        heard = (joint and _calls(recording)) or "market" in plan["theirs"]
        link = Lines(index, LINK) if heard else ()
        steps.append(
            Step(
                one["name"],
                one["title"],
                recording,
                traffic,
                own=own,
                market=market,
                events=events,
                meters=meters,
                call_backs=call_backs,
                link=link,
                portal=portal,
                bills=bills,
                wire=Lines(index, all_of_it),
                files=files,
            )
        )
    return Observed(tuple(steps), plan, truth, given=given, late=late)
