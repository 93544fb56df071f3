"""What is seen of a head-end over the whole recording, id by id: call-backs whenever they come, and what reaches its meters, whatever an answer tells of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from headend.wire import InquiryResult
from meters.calendar import Seconds, epoch, iso, seconds, to_s
from meters.events import EventKind
from scenarios.certify.observed import LAST, MOST, Asked, Observation, Observed, Step
from scenarios.outside.call_backs import PATH, TAKEN, read
from simulator.smt.ondemand.judged import digest
from simulator.tap.chain import Exchange

Seen = Iterator[Observation]


@dataclass(frozen=True)
class Looked:
    """What an inquiry is held against beside itself."""

    all_of_it: Observed
    #: By step what meters told unasked.
    _events: dict[str, dict[str, list[tuple[Exchange, str, Seconds]]]] = field(default_factory=dict)

    @cached_property
    def stored(self) -> frozenset[bool]:
        """Of inquiries that might read the meter, and of those that might not: whether an answer holds intervals of the store."""
        found: set[bool] = set()
        for asked in self.all_of_it.inquiries():
            if len(found) == 2:
                break
            if asked.plain and "store" in asked.sources:
                found.add(bool(asked.record.asked["meterAllowed"]))
        return frozenset(found)

    @cached_property
    def _made(self) -> list[Asked]:
        return [one for step in self.all_of_it.steps for one in step.made(self.all_of_it.clock_s)]

    @cached_property
    def _called_back(self) -> dict[str, list[tuple[Step, Exchange]]]:
        own = {one.record.key for one in self._made}
        found: dict[str, list[tuple[Step, Exchange]]] = {}
        for step in self.all_of_it.steps:
            for one in step.call_backs:
                key = str(one.ask["path"]).removeprefix(PATH).partition("/")[0]
                if key in own and len(its := found.setdefault(key, [])) < MOST:
                    its.append((step, one))
        return found

    @cached_property
    def _again(self) -> dict[str, Seconds]:
        """By id when it was first asked again."""
        again = [one.record for one in self._made if one.action.again]
        return {one.key: one.at for one in reversed(again)}

    def called_back(self, asked: Asked) -> Iterator[tuple[Step, Exchange]]:
        """What was called back under an inquiry's id, in whatever step that came; of an id that was asked again what came before that, and of the one that asks it again what came since."""
        again = self._again.get(asked.record.key)
        for step, one in self._called_back.get(asked.record.key, ()):
            since = again is not None and (step.name != asked.step.name or to_s(one.at_us) >= again)
            if since == bool(asked.action.again):
                yield step, one

    def events(self, step: Step) -> dict[str, list[tuple[Exchange, str, Seconds]]]:
        """By ESI ID what meters told unasked in a step, each with its kind and when that was, the last one last. Of a file they are read once."""
        if step.name not in self._events:
            found: dict[str, list[tuple[Exchange, str, Seconds]]] = {}
            for exchange in step.events:
                for one in json.loads(exchange.ask["body"])["events"]:
                    told = (exchange, str(one["kind"]), epoch(one["at"]))
                    found.setdefault(one["esiid"], []).append(told)
            # What breaks breaks for every id that needs it.
            self._events[step.name] = found
        return self._events[step.name]

    def event(self, asked: Asked) -> tuple[Exchange | None, str, Seconds]:
        """What the meter of an inquiry had told last, with its kind and when that was."""
        its = self.events(asked.step).get(asked.record.asked["esiid"], [])
        return next((one for one in reversed(its) if to_s(one[0].at_us) <= asked.record.at), (None, "", seconds(0)))


#: What is seen of an id in an inquiry.
Look = Callable[[Looked, Asked], Seen]
#: What SMT answers to a call-back of which it knows no inquiry any more.
UNKNOWN = 404
#: How often a meter that is read by another way than Modbus is tried for an answer: again after 30, 60 and 120 s (DOMAIN §7 [D]).
MOST_TRIES = 4
#: Why reads show nothing of an inquiry.
OTHERS_TOO = "other meters are read meanwhile too, and what is for the inquiry cannot be told"


def clean(asked: Asked) -> InquiryResult | None:
    """An answer in which no rule is broken; another shows nothing else."""
    return None if asked.found else asked.record.result


def second_answer(look: Look) -> Look:
    """What is seen of further answers, those too that come when something else is asked already."""

    def seen(looked: Looked, asked: Asked) -> Seen:
        result = asked.record.result
        others = [
            (step, one)
            for step, one in looked.called_back(asked)
            if asked.action.again is None
            and one.reply.get("status") in (TAKEN, UNKNOWN)
            and (said := read(str(one.ask.get("body", "")))) is not None
            and result is not None
            and digest(said) != digest(result)
        ]
        if others and "SECOND-ANSWER" not in asked.found:
            step, one = others[0]
            when = f"another answer to it comes in {step.name}, at {iso(to_s(one.at_us))}"
            yield Observation(step.name, asked.action.ref, False, when, (one.n,))
        else:
            yield from look(looked, asked)

    return seen


def unread(look: Look, bears: Callable[[Asked], bool]) -> Look:
    """What is seen where no meter may be read: as far as meters are ours by what reached them, else by what the answer tells."""

    def seen(looked: Looked, asked: Asked) -> Seen:
        reached = asked.at_meters(asked.record.at)
        its = reached.get(asked.record.asked["esiid"], []) if bears(asked) else []
        if not its:
            yield from look(looked, asked)
        elif len(reached) > 1:
            yield asked.saw(None, OTHERS_TOO, *its)
        else:
            result = asked.record.result
            told = "and nothing is told" if result is None else f"and {result.meterReads} reads are told"
            yield asked.saw(
                False, f"the meter is asked {len(its)} times by Modbus{' and more' * (len(its) == MOST)}, {told}", *its
            )

    return seen


def _in_time(_: Looked, asked: Asked) -> Seen:
    if asked.plain and asked.record.status == 202 and not asked.action.meets:
        until = epoch(asked.record.asked["answerBy"])
        held = any(one.at <= until for one in asked.record.came)
        yield asked.saw(held, f"nothing is called back by {asked.record.asked['answerBy']}")


def _bears_key(_: Looked, asked: Asked) -> Seen:
    for one in asked.record.came:
        lacks = "the head-end's key" if not one.keyed else "the seal of the inquiry's address"
        yield asked.saw(one.keyed and one.sealed, f"a call-back comes without {lacks}")


def _refused(which: Callable[[Asked], bool], said: str) -> Look:
    """An inquiry that must not be accepted."""

    def seen(_: Looked, asked: Asked) -> Seen:
        if which(asked):
            status = asked.record.status
            held = None if status is None else 400 <= status < 500
            yield asked.saw(held, "there is no reply" if held is None else f"{said} is answered HTTP {status}")

    return seen


def _asks_key(looked: Looked, asked: Asked) -> Seen:
    """An inquiry without a key: not accepted, and not worked at either."""
    if asked.action.key == "none" and (its := [*looked.called_back(asked)]):
        step, one = its[0]
        said = f"an inquiry without a key is answered HTTP {asked.record.status}, and called back in {step.name}"
        yield Observation(step.name, asked.action.ref, False, said, (one.n,))
    else:
        yield from _refused(lambda one: one.action.key == "none", "an inquiry without a key")(looked, asked)


def _again(asked: Asked, *, same: bool) -> bool:
    """Whether it has the id of an inquiry that was taken, and asks for the same or for something else."""
    first = asked.first
    if first is None or first.status != 202:
        return False
    return same is all(asked.record.asked.get(one) == first.asked.get(one) for one in ("kind", "start", "end", "esiid"))


def _once(looked: Looked, asked: Asked) -> Seen:
    if asked.action.again and _again(asked, same=True):
        status = asked.record.status
        more = max(len(asked.record.came), sum(1 for _ in looked.called_back(asked)))
        said = f"the repeated inquiry is answered HTTP {status}, and {more} more call-back{'s' * (more != 1)} made"
        yield asked.saw(status == 202 and not more, said)


def _meets(what: str) -> Look:
    def seen(_: Looked, asked: Asked) -> Seen:
        if what in asked.action.meets:
            times, taken = len(asked.record.came), asked.record.status == TAKEN
            said = "it is called back once, and never again" if times else "nothing is called back"
            # What was not accepted, as HE-TAKEN has it, need not be called back at all.
            yield asked.saw(True if times > 1 else False if times and taken else None, said)

    return seen


def _again_same(_: Looked, asked: Asked) -> Seen:
    tries = asked.record.tries()
    if asked.action.meets:
        enough = len(tries) > 1
        yield asked.saw(
            asked.record.tries_agree if enough else None,
            "what is called back again is not the same" if enough else "nothing is called back again",
        )


def _over(asked: Asked) -> bool:
    """Whether its time is over by every clock that is off as it may be."""
    return asked.action.answer_within_s < -asked.clock_s


def _too_late(_: Looked, asked: Asked) -> Seen:
    if _over(asked):
        result = asked.record.result
        reads = 0 if result is None else result.meterReads
        of_meter = result is not None and "meter" in asked.sources
        yield asked.saw(
            None if asked.record.status is None else not reads and not of_meter,
            f"{reads} reads of the meter are told",
        )


def _reads(looked: Looked, asked: Asked) -> Seen:
    """The reads that are told: of what only a read can tell there is one, of what reaches a meter of ours too, no more than that, and none comes after the answer."""
    result, answered, esiid = clean(asked), asked.record.answered, asked.record.asked["esiid"]
    if not asked.plain or not asked.record.asked["meterAllowed"] or result is None or answered is None:
        return
    reads = result.meterReads
    told = result.register_read is not None or (result.power is not None and result.power.source == "reply")
    # A meter that has told something is read for that, and one that is dark may be tried as often as one likes.
    heard = next((one for one, *_ in looked.events(asked.step).get(esiid, []) if to_s(one.at_us) >= asked.record.at), None)  # fmt: skip
    until = LAST if heard is None else to_s(heard.at_us)
    during, after = (asked.at_meters(since, until) for since in (asked.record.at, answered.at + seconds(1)))
    # Where something else is asked before the answer, what reached the meter for this one is not known whole.
    whole = asked.record.meters > 0 and asked.until is not None and answered.at < asked.until
    came = asked.at_meters(asked.record.at).get(esiid, []) if whole else []
    # One that knows its meters by another way than Modbus is seen by what it tells alone.
    most = (len(came) or MOST_TRIES * asked.record.meters) if whole else 0
    wrong, its = "", list[Exchange]()
    if told and not reads:
        wrong = "what only the meter can tell is told, and no read of it"
    elif reads > most > 0 and len(came) < MOST and looked.event(asked)[1] != EventKind.LAST_GASP:
        seen = (
            f"the meter is asked {most} times by Modbus" if came else f"one that answers is tried {most} times at most"
        )
        wrong = f"{reads} reads are told, and {seen}"
    elif not reads and (its := during.get(esiid, [])):
        wrong = f"the meter is asked {len(its)} times by Modbus, and no read is told"
    elif its := after.get(esiid, []):
        wrong = f"the meter is asked {len(its)} times by Modbus after it is answered"
    if its and len(during) > 1:
        yield asked.saw(None, OTHERS_TOO, *its)
    else:
        yield asked.saw(not wrong, wrong, *its)


#: By id what is seen of it.
SEEN: dict[str, Look] = {
    "HE-IN-TIME": _in_time,
    "HE-BEARS-KEY": _bears_key,
    "HE-ASKS-KEY": _asks_key,
    "HE-ONCE": _once,
    "HE-OTHER": _refused(lambda asked: _again(asked, same=False), "another inquiry under a known id"),
    "HE-AGAIN-500": _meets("error"),
    "HE-AGAIN-CUT": _meets("cut"),
    "HE-AGAIN-SAME": _again_same,
    "HE-TOO-LATE": unread(_too_late, _over),
    "HE-READS": _reads,
}
