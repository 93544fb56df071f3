"""What a certification has recorded, step by step, and what was seen in it of an id: an observation with the exchanges that show it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from meters.calendar import Micros, Seconds, micros, seconds, to_us
from scenarios.actions.inquire import Inquire, RecordedInquiry
from scenarios.errors import ScenarioError
from scenarios.evidence import Evidence
from scenarios.judging.exchanges import Traffic, traffic_of
from scenarios.recording import WIRE, Recording, load
from simulator.smt.ondemand.judged import Clocks
from simulator.tap.chain import Chain, Exchange, exchanges, slow_or_cut

#: What was played and how that ended, beside the steps' folders.
PLAN, STEPS, TRUTH, RECORDING = "plan.json", "steps", "truth.csv", "recording.json"
#: Wires between SMT and a TDSP.
LINK = ("inquiries", "call-backs")
#: How a step ended.
WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Observation:
    """Something that was seen of an id. ``held``: whether it is as it should be; None: nothing can be told of it, and ``said`` says why."""

    step: str
    ref: str
    held: bool | None
    said: str
    exchanges: tuple[int, ...] = ()

    @property
    def cited(self) -> list[str]:
        """Its exchanges, by step and number."""
        return [f"{self.step}:{number}" for number in self.exchanges]


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was played. ``own``: faults of ours, because of which nothing of it can be told; ``why``: why it is not whole."""

    name: str
    title: str
    recording: Recording | None
    traffic: Traffic | None
    why: str = ""
    own: tuple[str, ...] = ()
    #: What was asked of SMT's market API, what meters told unasked, and what went over SMT's link with the TDSP, both ways.
    market: tuple[Exchange, ...] = ()
    events: tuple[Exchange, ...] = ()
    link: tuple[Exchange, ...] = ()

    def numbers(self, ref: str, key: str = "", since_us: Micros = micros(0)) -> tuple[int, ...]:
        """The exchanges of an action; key: those of its correlation id alone."""
        its = self.traffic.actions.get(ref, []) if self.traffic else []
        return tuple(
            one.n
            for one in its
            if one.at_us >= since_us and (not key or key in json.dumps(one.ids) or key in one.ask.get("path", ""))
        )

    def inquiries(self, clock_s: Seconds) -> Iterator[Asked]:
        """Its inquiries at the head-end, in their order; clock_s: by which its clocks may be off."""
        if self.recording is None:
            return
        for action in self.recording.scenario.timeline:
            record = self.recording.actions.get(action.ref)
            if isinstance(action, Inquire) and isinstance(record, RecordedInquiry):
                yield Asked(self, action, record, clock_s)


@dataclass(frozen=True, slots=True)
class Asked:
    """An inquiry of a step with what came of it."""

    step: Step
    action: Inquire
    record: RecordedInquiry
    #: Seconds by which the head-end's clocks may be off ours.
    clock_s: Seconds
    found: dict[str, tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        """Hold the answer against the rules once."""
        object.__setattr__(self, "found", self.record.found(Clocks(self.clock_s, self.clock_s, self.clock_s)))

    @property
    def plain(self) -> bool:
        """Whether it is one of SMT's like any other: with its key, for an ESI ID of the TDSP's, new, in time."""
        one = self.action
        return one.key == "smt" and one.whose == "own" and one.again is None and one.answer_within_s > 0

    def saw(self, held: bool | None, said: str, *before: Exchange) -> Observation:
        """An observation of it, with its exchanges and those that came before it."""
        numbers = self.step.numbers(self.action.again or self.action.ref, self.record.key, to_us(self.record.at))
        numbers = (*(one.n for one in before), *numbers)
        return Observation(self.step.name, self.action.ref, held, said, numbers)


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

    @cached_property
    def inquiries(self) -> list[Asked]:
        """Every inquiry of the steps that can be judged."""
        return [asked for step in self.steps if not step.own for asked in step.inquiries(self.clock_s)]


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


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
        plan = json.loads((folder / PLAN).read_text("utf-8"))
        file = folder / TRUTH
        truth, given, late = read_truth(file), read_given(file), read_late(file)
    except (OSError, ValueError, KeyError) as error:
        text, mend = f"It cannot be read: {error}.", "Name the folder or the bundle.zip of 'ami certify run'."
        raise ScenarioError("certify.bundle", text, str(folder), mend) from None
    steps = []
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
        traffic = traffic_of(recording, its)
        if traffic is None or traffic.chain.head != one["wire"]:
            text = "Its exchanges are not those of the run: wire.jsonl is gone, or was cut at its end."
            raise ScenarioError("certify.wire", text, str(its / "wire.jsonl"), "Take the bundle as it was written.")
        own = (*Evidence(recording).own_faults, *_ours(plan, its / WIRE, traffic.chain))
        kept = list(exchanges(its / WIRE, lambda _, wire: wire not in ("market", "events", *LINK)))
        market, events, link = (
            tuple(one for one in kept if one.wire in wires) for wires in (("market",), ("events",), LINK)
        )
        steps.append(Step(one["name"], one["title"], recording, traffic, "", own, market, events, link))
    return Observed(tuple(steps), plan, truth, given=given, late=late)
