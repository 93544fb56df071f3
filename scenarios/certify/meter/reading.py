"""A meter's reading of a certification, as its exchanges stand on the wire: what was asked and came, and what that says by the register map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from struct import iter_unpack
from typing import NamedTuple

from meters.calendar import INTERVAL_S, day_of, day_start, floor_interval, seconds
from meters.register_map import layout as wire
from meters.register_map.points import Block, Value
from meters.status import Condition
from scenarios.actions.outside.read_meter import HOLDING, INPUT, WRITE, WRITE_ONE, ReadMeter, RecordedReading
from scenarios.certify.observed import Observation, Observed, Step

#: Exchanges that are cited of an observation.
_CITED = 6
Points = dict[str, Value]


@dataclass(frozen=True)
class Said:
    """An exchange, read. ``due``: what the meter's clock had to show."""

    n: int
    unit: int
    asked: bytes
    told: bytes
    trouble: str
    late_s: float
    due: float
    ahead: bool

    @property
    def function(self) -> int:
        """Its function code."""
        return self.asked[0]

    @property
    def first(self) -> int:
        """The first register that it is about."""
        return int.from_bytes(self.asked[1:3], "big")

    @property
    def count(self) -> int:
        """Of how many."""
        return int.from_bytes(self.asked[3:5], "big")

    @property
    def of_map(self) -> bool:
        """Whether it reads what the map has."""
        inside = self.first >= wire.BASE and self.first + self.count <= wire.END
        return self.function in (HOLDING, INPUT) and inside and 1 <= self.count <= wire.MAX_READ and not self.ahead

    @cached_property
    def words(self) -> list[int]:
        """The registers that came."""
        if self.trouble or self.late_s or self.told[:1] != self.asked[:1]:
            return []
        return [word for (word,) in iter_unpack(">H", self._whole(2))]

    def _whole(self, size: int) -> bytes:
        """What it tells behind function code and count, in whole parts of so many octets."""
        return self.told[2 : len(self.told) - (len(self.told) - 2) % size]

    @property
    def raw_slots(self) -> list[Slot]:
        """The slots of the ring that came."""
        return [Slot(*told) for told in iter_unpack(">iiH", self._whole(2 * wire.SLOT_WORDS))] if self.words else []

    @property
    def code(self) -> int | None:
        """The code of an exception."""
        return self.told[1] if len(self.told) == 2 and self.told[0] == self.function | 0x80 else None

    @property
    def answer(self) -> str:
        """What came, in words."""
        return self.trouble or (f"exception {self.code}" if self.code else f"{len(self.told)} octets")


class Slot(NamedTuple):
    """An interval of the ring."""

    delivered: int
    received: int
    status: int

    @property
    def conditions(self) -> tuple[int, int]:
        """Of both channels."""
        return self.status >> 8 & 0xF, self.status >> 4 & 0xF

    @property
    def held(self) -> bool:
        """Whether it has a value."""
        return not {Condition.SKIPPED, Condition.STOPPED} & set(self.conditions)

    @property
    def sound(self) -> bool:
        """Whether it holds a whole interval and nothing befell it, so that sums can be made."""
        return self.conditions == (0, 0) and self.delivered >= 0 and self.received >= 0


class Midnight(NamedTuple):
    """A snapshot, raw."""

    at: int
    delivered: int
    received: int


@dataclass(frozen=True)
class Reading:
    """A reading of the meter with all that it told, each part at its first exchange's number."""

    step: Step
    action: ReadMeter
    record: RecordedReading
    said: list[Said]

    @cached_property
    def headers(self) -> list[tuple[Said, Points]]:
        """Each header."""
        return self.whole(wire.HEADER_BLOCK)

    @property
    def header(self) -> Points:
        """The first header; empty if there is none."""
        return self.headers[0][1] if self.headers else {}

    def number(self, name: str) -> int:
        """A number of the first header."""
        return int(self.header[name])

    @property
    def turn(self) -> int:
        """After how many raw units its registers begin again."""
        return int(10 ** min(self.number("Dials"), 16)) * 1000

    def whole(self, block: Block) -> list[tuple[Said, Points]]:
        """Each read of just a block."""
        its = [one for one in self.reads(block.first, block.end) if one.count == block.size]
        return [(one, block.unpack(one.words)) for one in its]

    def reads(self, first: int, end: int) -> list[Said]:
        """What was read of a part of the map."""
        its = (one for one in self.said if one.unit == self.record.unit and one.function == HOLDING)
        return [one for one in its if one.words and first <= one.first < end]

    def register(self, address: int) -> tuple[Said, int] | None:
        """A register as it was first told."""
        its = (one for one in self.reads(wire.BASE, wire.END) if one.first <= address < one.first + one.count)
        return next(((one, one.words[address - one.first]) for one in its), None)

    @cached_property
    def ring(self) -> dict[int, Slot]:
        """The intervals by their beginnings by its clock, before anything was written."""
        found: dict[int, Slot] = {}
        for said, its in self.slots:
            if any(one.function in (WRITE, WRITE_ONE) and one.n < said.n for one in self.said):
                break
            found |= its
        return found

    @cached_property
    def slots(self) -> list[tuple[Said, dict[int, Slot]]]:
        """Each read of the ring with its intervals."""
        return [(one, self._slots(one)) for one in self.reads(wire.RING, wire.END_MODEL)]

    def _slots(self, said: Said) -> dict[int, Slot]:
        before = [(one, int(told["Clk"])) for one, told in self.headers if one.n < said.n]
        if not before:
            return {}
        header, clock = before[-1]
        newest = floor_interval(seconds(clock + int(said.due - header.due))) - INTERVAL_S
        found: dict[int, Slot] = {}
        for at, slot in enumerate(said.raw_slots, (said.first - wire.RING) // wire.SLOT_WORDS):
            behind = (wire.ring_slot(newest) - at) % wire.RING_SLOTS
            found[newest - behind * INTERVAL_S] = slot
        return found

    @cached_property
    def midnights(self) -> dict[int, Midnight]:
        """The snapshots by their slots; empty ones too."""
        found = {}
        for said in self.reads(wire.SNAPSHOTS, wire.RING):
            words = said.words
            for at in range(0, len(words) - wire.SNAPSHOT_WORDS + 1, wire.SNAPSHOT_WORDS):
                slot = (said.first + at - wire.SNAPSHOTS) // wire.SNAPSHOT_WORDS
                found[slot] = Midnight(
                    _whole(words[at : at + 2]), _whole(words[at + 2 : at + 6]), _whole(words[at + 6 : at + 10])
                )
        return found

    def midnight(self, day: date) -> Midnight | None:
        """The snapshot with which a day began, if that is where it should be and as it should be."""
        found = self.midnights.get(day.toordinal() % wire.SNAPSHOT_SLOTS)
        return found if found and found.at == day_start(day) else None

    @property
    def today(self) -> date:
        """The local day by its clock."""
        return day_of(seconds(self.number("Clk")))

    def saw(self, held: bool | None, said: str, *exchanges: Said) -> Observation:
        """An observation of it."""
        return Observation(
            self.step.name, self.action.ref, held, said, tuple(sorted({one.n for one in exchanges})[:_CITED])
        )


def _whole(words: Sequence[int]) -> int:
    return int.from_bytes(b"".join(one.to_bytes(2, "big") for one in words), "big")


def readings(all_of_it: Observed) -> list[Reading]:
    """Every reading of the steps that can be judged."""
    return list(_readings(all_of_it))


def _readings(all_of_it: Observed) -> Iterator[Reading]:
    for step in all_of_it.steps:
        if step.own or step.recording is None:
            continue
        for action in step.recording.scenario.timeline:
            record = step.recording.actions.get(action.ref)
            if isinstance(action, ReadMeter) and isinstance(record, RecordedReading):
                its = step.traffic.actions.get(action.ref, []) if step.traffic else []
                yield Reading(step, action, record, [_read(one.n, one.ask, one.reply) for one in its])


def _read(n: int, ask: dict[str, object], reply: dict[str, object]) -> Said:
    return Said(
        n,
        int(str(ask["unit"])),
        bytes.fromhex(str(ask["pdu"])),
        bytes.fromhex(str(reply["pdu"])),
        str(reply.get("error", "")),
        float(str(reply.get("late_s", 0))),
        float(str(ask["due"])),
        bool(ask.get("ahead")),
    )
