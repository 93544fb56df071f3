"""SMT's interval CSV (DOMAIN's columns are SMT's own), as the portal exports it, as it is delivered, and as a spreadsheet saves it again.

Blocks of lines are taken apart by columns, and each text that a column has is read once, so a file of any length costs little more than its octets. Rows that cannot be
read are left out and told with their line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headend.ports import BoolArray, LongArray
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, YEARS, day_start, intervals_in
from meters.day_kinds import SLOTS, clock_slots
from simulator.ror.files.found import MOST_WH, Tally
from simulator.ror.files.grid import Grid, Values

NEEDED = ("ESIID", "USAGE_DATE", "USAGE_START_TIME", "USAGE_END_TIME", "USAGE_KWH", "CONSUMPTION_SURPLUSGENERATION")
#: What a file may lack, and what then stands there.
REVISION, FLAG, _UNTOLD = "REVISION_DATE", "ESTIMATED_ACTUAL", ""
KINDS = {"consumption": Channel.LOAD, "surplus generation": Channel.GENERATION}
#: Characters that are read at a time.
_BLOCK = 1 << 22
#: A spreadsheet may have made a number of an ESI ID's digits.
_ESIID = re.compile(r"\d{17,22}|\d(\.\d+)?E\+\d\d", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})|(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::\d\d)?(?: ?([AP])M)?", re.ASCII | re.IGNORECASE)
_KWH = re.compile(r"[+-]?(\d{1,12}(\.\d*)?|\.\d+)", re.ASCII)
#: What is no time, no date, no number; negative energy; more than a quarter hour has.
_NONE, _NEGATIVE, _TOO_MUCH = -1, -2, -3
#: By the minutes from a row's start to its end: a quarter hour, and on the days of the clock's change one hour more or less.
_QUARTER, _CHANGED = 15, (75, 1440 - 45)


def header_of(line: str) -> tuple[str, list[str]]:
    """What parts the columns, and their names, of a file's first line."""
    parted = max(",;\t", key=line.count)
    return parted, [name.strip(' "\r\n').upper() for name in line.split(parted)]


def is_smt_csv(line: str) -> bool:
    """Whether a file's first line has most of the columns."""
    return len({*header_of(line)[1]} & {*NEEDED}) > len(NEEDED) // 2


def read_smt_csv(path: Path, tally: Tally, grids: dict[Channel, Grid]) -> str:
    """Read a file into its channels' places; the form in words. Raises RorError for a header without what is needed, OSError."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        parted, header = header_of(file.readline())
        lacking = [name for name in NEEDED if name not in header]
        if lacking:
            raise tally.refuse(
                "header", f"The file lacks {', '.join(lacking)}.", "Export it anew, with every column.", 1
            )
        twice = [name for name in (*NEEDED, REVISION, FLAG) if header.count(name) > 1]
        if twice:
            text = f"The file has the column {twice[0]} {header.count(twice[0])} times."
            raise tally.refuse("header", text, "Leave all but one out.", 1)
        block = _Blocks(parted, header, tally, grids)
        while lines := file.readlines(_BLOCK):
            block.take(lines)
    return f"SMT interval CSV ({'portal export' if block.apostrophes else 'as delivered'})"


class _Blocks:
    """The blocks of a file, one after the other."""

    def __init__(self, parted: str, header: Sequence[str], tally: Tally, grids: dict[Channel, Grid]) -> None:
        self._parted, self._width = parted, len(header)
        self._at = [header.index(name) if name in header else None for name in (*NEEDED, REVISION, FLAG)]
        self._tally, self._grids = tally, grids
        self._line = 2
        #: Whether ESI IDs stand behind one, as spreadsheets leave digits alone.
        self.apostrophes = False

    def take(self, lines: list[str]) -> None:
        """Read some lines."""
        # No cell of such a file has a comma in it.
        rows = [line.replace('"', "").rstrip("\n").split(self._parted) for line in lines]
        fits = np.array([len(row) == self._width for row in rows], np.bool_)
        odd = [at for at in np.flatnonzero(~fits).tolist() if any(cell.strip() for cell in rows[at])]
        if odd:
            text = f"The row has {len(rows[odd[0]])} columns, the first line {self._width}."
            self._tally.tell("columns", self._line + odd[0], text, "Export it anew, or mend the row.", len(odd))
        lines_of = self._line + np.flatnonzero(fits)
        self._line += len(lines)
        if len(lines_of):
            whole = [row for row in rows if len(row) == self._width]
            columns = [[_UNTOLD] * len(whole) if at is None else list(map(itemgetter(at), whole)) for at in self._at]
            self._put(*columns, lines=lines_of)

    def _put(
        self,
        esiids: list[str],
        dates: list[str],
        starts: list[str],
        ends: list[str],
        energies: list[str],
        kinds: list[str],
        revisions: list[str],
        flags: list[str],
        *,
        lines: LongArray,
    ) -> None:
        left = self._chosen(esiids, lines)
        channel, left = self._read(
            "kind", kinds, _channel, left, lines, "is no channel", "Write Consumption or Surplus Generation."
        )
        ordinal, left = self._read("date", dates, _ordinal, left, lines, "is no date", "Write it as 05/06/2026.")
        begin, left = self._read("time", starts, _minute, left, lines, "is no time of day", "Write it as 00:15.")
        end, left = self._read("time", ends, _minute, left, lines, "is no time of day", "Write it as 00:15.")
        revised, left = self._read(
            "revision", revisions, _stamp, left, lines, "is no date and time", "Write it as 05/07/2026 07:40:29."
        )
        wh, left = self._energies(energies, left, lines)
        place, changes, twice = _places(ordinal, begin, left)
        length = (end - begin) % 1440
        quarter = (begin % 15 == 0) & ((length == _QUARTER) | (changes & np.isin(length, _CHANGED)))
        left = self._left(
            "quarter", left & ~quarter, left, lines, lambda at: f"{starts[at].strip()} to {ends[at].strip()} is no quarter hour.", "Ask for 15-minute data."
        )  # fmt: skip
        left = self._left(
            "skipped", left & (place < 0), left, lines, lambda at: f"{dates[at].strip()} has no {starts[at].strip()}: the clock goes over it.", "Such a row has no energy of its own."
        )  # fmt: skip
        late = self._estimated(flags, left, lines)
        for each, grid in self._grids.items():
            of = np.flatnonzero(left & (channel == each))
            grid.put(Values(place[of], wh[of], late[of], revised[of], lines[of], twice[of]))

    def _chosen(self, esiids: list[str], lines: LongArray) -> BoolArray:
        codes, texts = _coded(esiids)
        counts = np.bincount(codes, minlength=len(texts)).tolist()
        names = [text.strip().lstrip("'").strip() for text in texts]
        self.apostrophes |= any("'" in text for text in texts)
        known = np.array([_ESIID.fullmatch(name) is not None for name in names], np.bool_)
        read = [
            sound and self._tally.is_read(name, count) for name, count, sound in zip(names, counts, known, strict=True)
        ]
        mend = "Write its 17 to 22 digits."
        every = np.ones(len(lines), np.bool_)
        self._left("esiid", ~known[codes], every, lines, lambda at: f"{_shown(esiids[at])} is no ESI ID.", mend)
        return np.array(read, np.bool_)[codes]

    def _read(
        self,
        code: str,
        texts: list[str],
        parse: Callable[[str], int],
        left: BoolArray,
        lines: LongArray,
        what: str,
        mend: str,
    ) -> tuple[LongArray, BoolArray]:
        """(n,) what the texts say, and which rows are left."""
        found = _each(texts, parse)
        bad = left & (found == _NONE)
        return found, self._left(code, bad, left, lines, lambda at: f"{_shown(texts[at])} {what}.", mend)

    def _energies(self, texts: list[str], left: BoolArray, lines: LongArray) -> tuple[LongArray, BoolArray]:
        wh, left = self._read(
            "number", texts, _wh, left, lines, "is no energy", "Write kWh in digits, with a point before the decimals."
        )
        bad, mend = left & (wh == _NEGATIVE), "A channel counts one direction: Surplus Generation is the other."
        left = self._left("negative", bad, left, lines, lambda at: f"{_shown(texts[at])} kWh is negative.", mend)
        bad, mend = left & (wh == _TOO_MUCH), "Look at the unit: the column counts kWh, not Wh."
        text = f"kWh is more than a quarter hour of a retail customer has ({MOST_WH // 1000:,})."
        return wh, self._left("too_much", bad, left, lines, lambda at: f"{_shown(texts[at])} {text}", mend)

    def _estimated(self, flags: list[str], left: BoolArray, lines: LongArray) -> BoolArray:
        """(n,) Whether values are estimated; nobody vouches for one whose flag is none."""
        found = _each(flags, lambda text: {"": 0, "A": 0, "E": 1}.get(text.strip().upper(), _NONE))
        odd = np.flatnonzero(left & (found == _NONE))
        if len(odd):
            text = f"{_shown(flags[odd[0]])} is neither A nor E: the value is taken as estimated."
            self._tally.tell("flag", int(lines[odd[0]]), text, "Write A or E.", len(odd), left_out=False)
        late: BoolArray = found != 0
        return late

    def _left(
        self, code: str, bad: BoolArray, left: BoolArray, lines: LongArray, told: Callable[[int], str], mend: str
    ) -> BoolArray:
        at = np.flatnonzero(bad)
        if not len(at):
            return left
        self._tally.tell(code, int(lines[at[0]]), told(int(at[0])), mend, len(at))
        return left & ~bad


def _coded(texts: list[str]) -> tuple[LongArray, list[str]]:
    """(n,) where each text stands in the list of those that there are."""
    places = {text: at for at, text in enumerate(dict.fromkeys(texts))}
    return np.fromiter(map(places.__getitem__, texts), np.int64, len(texts)), list(places)


def _each(texts: list[str], parse: Callable[[str], int]) -> LongArray:
    codes, different = _coded(texts)
    return np.array([parse(text) for text in different], np.int64)[codes]


def _shown(text: str) -> str:
    text = text.strip()
    return f"'{text if len(text) <= 30 else text[:27] + '...'}'"


def _channel(text: str) -> int:
    return KINDS.get(text.strip().lower(), _NONE)


def _ordinal(text: str) -> int:
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return _NONE
    month, day, year = (int(one) for one in (found[1], found[2], found[3]) if one) if found[1] else (int(found[5]), int(found[6]), int(found[4]))  # fmt: skip
    try:
        return date(year, month, day).toordinal() if year in YEARS else _NONE
    except ValueError:
        return _NONE


def _minute(text: str) -> int:
    """Minute of the day; 24:00 is the end of one."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return _NONE
    hour, minute = int(found[1]), int(found[2])
    if found[3]:
        if not 1 <= hour <= 12:
            return _NONE
        hour = hour % 12 + 12 * (found[3].upper() == "P")
    return hour * 60 + minute if minute < 60 and (hour < 24 or (hour, minute) == (24, 0)) else _NONE


def _stamp(text: str) -> int:
    """Minutes that order revisions; nothing is before all."""
    day, _, clock = text.strip().partition(" ")
    if not day:
        return 0
    ordinal, minute = _ordinal(day), _minute(clock) if clock else 0
    return _NONE if _NONE in (ordinal, minute) else ordinal * 1440 + minute


def _wh(text: str) -> int:
    text = text.strip()
    if _KWH.fullmatch(text) is None:
        return _NONE
    wh = round(float(text) * 1000)
    return _NEGATIVE if wh < 0 else _TOO_MUCH if wh > MOST_WH else wh


def _places(ordinal: LongArray, minute: LongArray, left: BoolArray) -> tuple[LongArray, BoolArray, BoolArray]:
    """(n,) UTC epoch seconds at which local times begin (-1: the clock goes over it), whether the clock changes on the day, whether it has the time twice."""
    days, of = np.unique(np.where(left, ordinal, date(2000, 1, 1).toordinal()), return_inverse=True)
    starts = np.empty((len(days), SLOTS), np.int64)
    change, twice = np.zeros(len(days), np.bool_), np.zeros((len(days), SLOTS), np.bool_)
    for row, one in enumerate(days.tolist()):
        day = date.fromordinal(one)
        begin = day_start(day)
        starts[row] = np.arange(begin, begin + SLOTS * INTERVAL_S, INTERVAL_S)
        if intervals_in(day) != SLOTS:
            on_face = clock_slots(day)
            slots, at, count = np.unique(on_face, return_index=True, return_counts=True)
            starts[row], change[row] = -1, True
            starts[row, slots], twice[row, slots] = begin + at * INTERVAL_S, count > 1
    quarter: NDArray[np.int64] = np.where(left, minute // 15 % SLOTS, 0)
    return starts[of, quarter], change[of], twice[of, quarter]
