"""Green Button: an Atom feed of ESPI resources (NAESB REQ.21). Blocks of readings hang below a meter reading, that below a usage point and beside a reading type, by their links.

An entry is read at a time. Readings are known by their number, and their lines are looked for only if something is to be told of one.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat

import numpy as np

from headend.ports import BoolArray, LongArray
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, LAST_DAY, day_end, day_start, iso, seconds
from simulator.ror.files.found import MOST_WH, Tally
from simulator.ror.files.grid import FIRST_DAY, Grid, Values

#: ESPI's codes (NAESB REQ.21): Wh, electricity; forward is towards the premise, reverse from it.
_WH, _ELECTRICITY, _FLOWS = "72", "1", {"1": Channel.LOAD, "19": Channel.GENERATION}
#: Qualities of a reading that nobody measured: estimated by a day like it, by a line, projected.
_ESTIMATED = ("8", "9", "12")
_NUMBER, _ESIID = re.compile(r"\s*[+-]?\d{1,15}\s*", re.ASCII), re.compile(r"'?(\d{17,22})", re.ASCII)
_ALL_NUMBERS = re.compile(r"(?:[+-]?\d{1,15} )*", re.ASCII)
_READING = re.compile(rb"<(?:\w+:)?IntervalReading\b")
#: What stands where no number does, and the most readings: two centuries of one channel.
_NONE, _MOST_READINGS = -(1 << 62), 7_000_000


class _Block(NamedTuple):
    """A block of readings: what it hangs below, when it was last changed."""

    up: str
    updated: int


class _Feed:
    """What a feed has, as it is read."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.points: dict[str, str] = {}
        self.meter_readings: dict[str, list[str]] = {}
        self.types: dict[str, dict[str, str]] = {}
        self.blocks: list[_Block] = []
        #: Of each reading: start, duration, value, block; whether it is estimated.
        self.readings = [array("q") for _ in range(4)]
        self.estimated = array("b")

    def take(self, entry: ET.Element) -> None:
        """Read an entry, which is of one resource."""
        links = [(link.get("rel"), link.get("href", "")) for link in entry.iterfind("{*}link")]
        to = dict(reversed(links))
        at = to.get("self", "")
        for resource in entry.iterfind("{*}content/*"):
            match _local(resource):
                case "UsagePoint":
                    self.points[at] = entry.findtext("{*}title", "")
                case "MeterReading":
                    self.meter_readings[at] = [href for rel, href in links if rel == "related"]
                case "ReadingType":
                    self.types[at] = {_local(one): (one.text or "").strip() for one in resource}
                case "IntervalBlock":
                    up = to.get("up") or at.rpartition("/")[0]
                    updated = _instant(entry.findtext("{*}updated", ""))
                    self._keep(resource, _Block(up.rstrip("/").removesuffix("/IntervalBlock"), updated))

    def _keep(self, resource: ET.Element, block: _Block) -> None:
        named = resource.tag[: resource.tag.rfind("}") + 1]
        value, period, start, duration = (named + name for name in ("value", "timePeriod", "start", "duration"))
        judged, quality, nothing = named + "ReadingQuality", named + "quality", ET.Element("nothing")
        readings = resource.findall(named + "IntervalReading")
        periods = [one.find(period) or nothing for one in readings]
        texts = (
            [one.findtext(start) for one in periods],
            [one.findtext(duration) for one in periods],
            [one.findtext(value) for one in readings],
        )
        for kept, its in zip(self.readings, texts, strict=False):
            kept.extend(_numbers(its))
        self.readings[-1].extend([len(self.blocks)] * len(readings))
        self.estimated.extend([(one.find(judged) or nothing).findtext(quality) in _ESTIMATED for one in readings])
        self.blocks.append(block)
        if len(self.estimated) > _MOST_READINGS:
            text = f"The feed has more than {_MOST_READINGS:,} readings."
            raise self._tally.refuse("too_many_readings", text, "Ask for fewer years.")

    def type_of(self, block: _Block) -> dict[str, str] | None:
        """The reading type of a block: the one that its meter reading names, or the only one that there is."""
        named = [one for href in self.meter_readings.get(block.up, ()) if (one := self.types.get(href)) is not None]
        return named[0] if named else next(iter(self.types.values())) if len(self.types) == 1 else None

    def esiid_of(self, block: _Block) -> str:
        """The ESI ID of its usage point, where its title or its link has one; else what the link ends in."""
        at = block.up.partition("/MeterReading")[0]
        title = self.points.get(at, next(iter(self.points.values())) if len(self.points) == 1 else "")
        for text in (title, at.rpartition("/")[2]):
            if found := _ESIID.fullmatch(text.strip()):
                return found[1]
        return at.rpartition("/")[2]


def read_green_button(path: Path, tally: Tally, grids: dict[Channel, Grid]) -> str:
    """Read a feed into its channels' places; the form in words. Raises RorError for what is no feed of readings, OSError."""
    feed = _Feed(tally)
    tally.count_by(lambda: _lines(path))
    try:
        for _, element in ET.iterparse(path):
            if element.tag.endswith("entry"):
                feed.take(element)
                element.clear()
    except ET.ParseError as error:
        line, _ = error.position
        text = f"It is no XML from here on ({expat.errors.messages[error.code]}); whole entries before are read."
        tally.tell("broken", line, text, "Fetch it anew: it may have broken off.")
    except (LookupError, ValueError) as error:
        raise tally.refuse("encoding", f"{str(error).capitalize()}.", "Save it as UTF-8.", 1) from None
    if not feed.estimated:
        raise tally.refuse("no_readings", "The feed has no interval readings.", "Ask for 15-minute usage.")
    _put(feed, tally, grids)
    return "Green Button"


def _lines(path: Path) -> LongArray:
    """(n,) the line at which each reading begins."""
    content = path.read_bytes()
    begins = [found.start() for found in _READING.finditer(content)]
    breaks = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n"))
    return np.searchsorted(breaks, begins).astype(np.int64) + 1


def _local(element: ET.Element) -> str:
    return element.tag[element.tag.rfind("}") + 1 :]


def _numbers(texts: list[str | None]) -> Iterable[int]:
    try:
        # Mostly all of them are, and are looked at in one go.
        if _ALL_NUMBERS.fullmatch(f"{' '.join(texts)} "):  # type: ignore[arg-type]
            return map(int, texts)  # type: ignore[arg-type]
    except TypeError:
        pass
    return (int(text) if text and _NUMBER.fullmatch(text) else _NONE for text in texts)


def _put(feed: _Feed, tally: Tally, grids: dict[Channel, Grid]) -> None:
    start, duration, value, block = (np.frombuffer(kept, np.int64) for kept in feed.readings)
    # By their number, from 1 on, until one is told.
    line = np.arange(1, len(start) + 1)
    estimated = np.frombuffer(feed.estimated, np.int8) != 0
    runs = np.flatnonzero(np.diff(block, prepend=-1))
    for begin, end in zip(runs, [*runs[1:], len(block)], strict=True):
        its, of = slice(begin, end), feed.blocks[block[begin]]
        if not tally.is_read(feed.esiid_of(of), int(end - begin)):
            continue
        kind = feed.type_of(of)
        wrong = _not_energy(kind)
        if kind is None or wrong:
            tally.tell(
                "reading_type",
                tally.line(int(begin) + 1),
                wrong,
                "Ask for electricity in Wh, delivered and received apart.",
                int(end - begin),
            )
            continue
        scale = 10.0 ** int(kind.get("powerOfTenMultiplier") or 0)
        length = np.where(duration[its] == _NONE, int(kind.get("intervalLength") or 0), duration[its])
        good, wh = _sound(tally, start[its], length, value[its], line[its], scale)
        grids[_FLOWS[kind["flowDirection"]]].put(
            Values(
                start[its][good],
                wh[good],
                estimated[its][good],
                np.full(good.sum(), of.updated, np.int64),
                line[its][good],
                np.zeros(good.sum(), np.bool_),
            )
        )


def _not_energy(kind: dict[str, str] | None) -> str:
    """Why readings of a type are none of a quarter hour's energy in one direction; empty: they are."""
    if kind is None:
        return "The readings have no reading type, or several."
    if kind.get("uom", _WH) != _WH or kind.get("commodity", _ELECTRICITY) != _ELECTRICITY:
        return f"The readings are no electric energy in Wh (uom 72) but uom {kind.get('uom', '')!r}, commodity {kind.get('commodity', '')!r}."
    if kind.get("flowDirection") not in _FLOWS:
        return (
            f"The readings count direction {kind.get('flowDirection', '')!r}, neither 1 (delivered) nor 19 (received)."
        )
    if not re.fullmatch(r"(-?[0-9])?", kind.get("powerOfTenMultiplier", "")) or not re.fullmatch(
        r"[0-9]{0,6}", kind.get("intervalLength", "")
    ):
        return "The reading type has a multiplier or a length that is no number."
    return ""


def _sound(
    tally: Tally, start: LongArray, length: LongArray, value: LongArray, line: LongArray, scale: float
) -> tuple[BoolArray, LongArray]:
    """(n,) which readings can be taken, and their Wh."""
    wh = np.rint(np.where(value == _NONE, 0, value) * scale)
    from_, to = day_start(FIRST_DAY), day_end(LAST_DAY)
    good = np.ones(len(start), np.bool_)
    for code, bad, text, mend in (
        ("time", (start < from_) | (start >= to), "{start} is no instant of this market.", "Look at the start: UTC seconds since 1970."),
        ("quarter", (length != INTERVAL_S) | (start % INTERVAL_S != 0), "The reading at {at} is of {length} s and no quarter hour.", "Ask for 15-minute data."),
        ("number", value == _NONE, "The reading at {at} has no value that is a number.", "Fetch the feed anew."),
        ("negative", wh < 0, "The reading at {at} is negative: {wh:.0f} Wh.", "A channel counts one direction: received energy is flow 19."),
        ("too_much", wh > MOST_WH, "The reading at {at} is {wh:.0f} Wh, more than a quarter hour of a retail customer has.", "Look at the multiplier of its reading type."),
    ):  # fmt: skip
        at = np.flatnonzero(good & bad)
        if len(at):
            one = at[0]
            told = text.format(
                start=start[one] if start[one] != _NONE else "Nothing", length=length[one], wh=wh[one], at=_clock(int(start[one]))
            )  # fmt: skip
            tally.tell(code, tally.line(int(line[one])), told, mend, len(at))
            good &= ~bad
    return good, np.where(good, wh, 0).astype(np.int64)


def _clock(start: int) -> str:
    return iso(seconds(start)) if day_start(FIRST_DAY) <= start < day_end(LAST_DAY) else str(start)


def _instant(text: str) -> int:
    """UTC epoch seconds of an Atom date; 0, before all, where there is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
