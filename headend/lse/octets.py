"""Canonical records as octets, compiled: a record just as ``writer`` makes it is read and written here, and nothing else is.

Whatever differs in a single octet is handed over to the reader that explains it, so no fault has a second sentence.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from headend.lse.format import MOST_TRIPLETS
from headend.ports import BoolArray, IntArray, LongArray
from meters.calendar import INTERVAL_S, YEARS, day_start, intervals_in
from meters.kernels.jit import kernel

OctetArray = NDArray[np.uint8]

FIRST = b"00000001,"
#: No canonical record, with what begins the next one, is longer, and nothing is looked at behind it.
LONGEST = 2048
#: What stands at the end of a day: ``Days.intervals``.
_NO_DAY = 255
#: A cumulative register, Wh: a bound that every store can hold.
MOST_WH = 10**15
#: The clocks change between these two, seconds after midnight.
_BEFORE_CHANGE, _AFTER_CHANGE = 3600, 3 * 3600
_YEARS, _QUARTER_S = len(YEARS), int(INTERVAL_S)


def _octets(text: bytes) -> OctetArray:
    return np.frombuffer(text, np.uint8)


_ROW_1, _MIDNIGHT, _TO_READINGS = _octets(FIRST), _octets(b"000000,"), _octets(b"235900,Y,N\n00000002,")
_TO_STAMP, _TO_INTERVALS = _octets(b"1,0,1,0,900,01,,,,\n00000003,\n00000004,"), _octets(b",M\n10000000,")
# Unsigned: an index that could be below zero, and a digit that could, cost a look at each octet.
Word = np.uint64
_ZERO, _COMMA, _POINT, _LINE_END, _A, _E = (Word(octet) for octet in b"0,.\nAE")
_ONE, _TWO, _THREE, _FOUR, _NINE, _TEN, _HUNDRED, _THOUSAND = (Word(one) for one in (1, 2, 3, 4, 9, 10, 100, 1000))
#: Above all that is asked for.
_WRONG = Word(2**64 - 1)
_MOST_READING, _READING_DIGITS, _MOST_INTERVAL, _INTERVAL_DIGITS = (Word(one) for one in (MOST_WH, 13, 2**31 - 1, 7))
_FIRST_YEAR, _MONTHS, _MONTH_DAYS, _YEAR_DAYS = Word(YEARS.start), Word(12), Word(31), Word(372)


class Days(NamedTuple):
    """The calendar as the kernel asks it, by ``_day_number``."""

    #: Intervals of the day; 0: not asked yet, ``_NO_DAY``: there is none.
    intervals: OctetArray
    #: Days since 1970, and UTC epoch seconds of its midnight.
    since_1970: LongArray
    begin: LongArray


@lru_cache(maxsize=1)
def calendar() -> Days:
    """The days that were asked for so far; ``learn`` adds one."""
    size = 372 * _YEARS
    return Days(np.zeros(size, np.uint8), np.zeros(size, np.int64), np.zeros(size, np.int64))


def learn(days: Days, number: int) -> None:
    """Look a day up."""
    year, rest = divmod(number, 372)
    try:
        day = date(YEARS.start + year, rest // 31 + 1, rest % 31 + 1)
    except ValueError:
        days.intervals[number] = _NO_DAY
        return
    days.since_1970[number] = (day - date(1970, 1, 1)).days
    days.begin[number], days.intervals[number] = day_start(day), intervals_in(day)


class Rows(NamedTuple):
    """Records as the kernels see them, (m,) but for the intervals."""

    #: (m, digits) ASCII, zeros behind.
    esiid: OctetArray
    channel: OctetArray
    #: Reading: days since 1970; writing: row of the texts of days.
    day: LongArray
    #: Wh; -1: none.
    start_wh: LongArray
    stop_wh: LongArray
    #: (m, n) of which the day's are looked at.
    wh: IntArray
    estimated: BoolArray
    #: Reading: UTC epoch seconds; writing: row of the texts of instants.
    posted_at: LongArray

    @classmethod
    def room(cls, rows: int) -> Self:
        """Room for as many records."""
        shape = (rows, MOST_TRIPLETS)
        day, start, stop, posted_at = np.empty((4, rows), np.int64)
        esiid, channel = np.empty((rows, 22), np.uint8), np.empty(rows, np.uint8)
        return cls(esiid, channel, day, start, stop, np.empty(shape, np.int32), np.empty(shape, np.bool_), posted_at)


@kernel
def _stands(octets: OctetArray, at: Word, text: OctetArray) -> bool:
    different = 0
    for index in range(len(text)):
        different |= octets[at + Word(index)] ^ text[index]
    return different == 0


@kernel
def _behind(at: Word, text: OctetArray) -> Word:
    return at + Word(len(text))


@kernel
def _number(octets: OctetArray, at: Word, digits: int) -> Word:
    """A number of so many digits; ``_WRONG``: other octets."""
    value = Word(0)
    for index in range(digits):
        digit = Word(octets[at + Word(index)]) - _ZERO
        if digit > _NINE:
            return _WRONG
        value = _TEN * value + digit
    return value


@kernel
def _kwh(octets: OctetArray, at: Word, most_digits: Word) -> tuple[Word, Word]:
    """Wh of a number with three decimals, or ``_WRONG``; and where it ends."""
    value = digit = Word(octets[at]) - _ZERO
    if digit > _NINE:
        return _WRONG, at
    last = at + most_digits
    while True:
        at += _ONE
        digit = Word(octets[at]) - _ZERO
        if digit > _NINE:
            break
        if at == last:
            return _WRONG, at
        value = _TEN * value + digit
    first, second = Word(octets[at + _ONE]) - _ZERO, Word(octets[at + _TWO]) - _ZERO
    third = Word(octets[at + _THREE]) - _ZERO
    if (octets[at] != _POINT) | (first > _NINE) | (second > _NINE) | (third > _NINE):
        return _WRONG, at
    return _THOUSAND * value + _HUNDRED * first + _TEN * second + third, at + _FOUR


@kernel
def _day_number(octets: OctetArray, at: Word) -> Word:
    """Number of a day YYYYMMDD in ``Days``; ``_WRONG``: it has none."""
    stamp = _number(octets, at, 8)
    year, month, day = stamp // Word(10000) - _FIRST_YEAR, stamp // _HUNDRED % _HUNDRED - _ONE, stamp % _HUNDRED - _ONE
    if (stamp == _WRONG) | (year >= Word(_YEARS)) | (month >= _MONTHS) | (day >= _MONTH_DAYS):
        return _WRONG
    return _YEAR_DAYS * year + _MONTH_DAYS * month + day


@kernel
def _instant(octets: OctetArray, at: Word, number: Word, days: Days) -> np.int64:
    """UTC epoch seconds of a local HHMMSS; -1: other octets, or an hour in which the clocks change."""
    clock = _number(octets, at, 6)
    hour, minute, second = clock // Word(10000), clock // _HUNDRED % _HUNDRED, clock % _HUNDRED
    if (
        days.intervals[number] == _NO_DAY
        or clock == _WRONG
        or hour >= Word(24)
        or minute >= Word(60)
        or second >= Word(60)
    ):
        return np.int64(-1)
    since = np.int64(hour) * 3600 + np.int64(minute) * 60 + np.int64(second)
    moved_s = (96 - np.int64(days.intervals[number])) * _QUARTER_S
    if moved_s != 0 and since >= _BEFORE_CHANGE:
        if since < _AFTER_CHANGE:
            return np.int64(-1)
        since -= moved_s
    return np.int64(days.begin[number] + since)


@kernel
def _whose(octets: OctetArray, at: Word, out: Rows, row: int) -> Word:
    """Read ESI ID and channel. Here and below: where it goes on, ``_WRONG`` where something else stands."""
    digits = 0
    for index in range(out.esiid.shape[1]):
        octet = octets[at]
        out.esiid[row, index] = 0
        if index == digits and Word(octet) - _ZERO <= _NINE:
            out.esiid[row, index] = octet
            digits += 1
            at += _ONE
    channel = octets[at + _ONE] - _ZERO
    out.channel[row] = channel
    if digits < 17 or octets[at] != _COMMA or (channel != _ONE and channel != _FOUR) or octets[at + _TWO] != _COMMA:
        return _WRONG
    return at + _THREE


@kernel
def _reading(octets: OctetArray, at: Word, side: LongArray, row: int) -> Word:
    """Read a register and the comma behind it."""
    side[row] = -1
    if octets[at] != _COMMA:
        wh, at = _kwh(octets, at, _READING_DIGITS)
        side[row] = wh
        if wh > _MOST_READING or octets[at] != _COMMA:
            return _WRONG
    return at + _ONE


@kernel
def _intervals(octets: OctetArray, at: Word, count: np.int64, wh: IntArray, estimated: BoolArray) -> Word:
    """Read the intervals of a day into a row's arrays; the whole rows would be counted as taken and given back each time."""
    for index in range(count):
        value, at = _kwh(octets, at, _INTERVAL_DIGITS)
        mark = octets[at + _ONE]
        good = (value <= _MOST_INTERVAL) & (octets[at] == _COMMA) & ((mark == _A) | (mark == _E))
        close = _LINE_END if index == count - 1 else _COMMA
        if not good & (octets[at + _TWO] == _COMMA) & (octets[at + _THREE] == close):
            return _WRONG
        wh[index] = value
        estimated[index] = mark == _E
        at += _FOUR
    for index in range(count, len(wh)):
        wh[index], estimated[index] = 0, False
    return at


@kernel
def _record(octets: OctetArray, at: Word, days: Days, out: Rows, row: int) -> tuple[Word, Word]:
    """Read a record into a row. Where it ends; and a day that is to be learnt before, or ``_WRONG``."""
    if not _stands(octets, at, _ROW_1):
        return _WRONG, _WRONG
    at = _whose(octets, _behind(at, _ROW_1), out, row)
    if at == _WRONG:
        return _WRONG, _WRONG
    day = _day_number(octets, at)
    if day == _WRONG or not _stands(octets, at + Word(8), _MIDNIGHT) or _day_number(octets, at + Word(15)) != day:
        return _WRONG, _WRONG
    count = np.int64(days.intervals[day])
    if count == 0:
        return _WRONG, day
    if count == _NO_DAY or not _stands(octets, at + Word(23), _TO_READINGS):
        return _WRONG, _WRONG
    at = _reading(octets, _behind(at + Word(23), _TO_READINGS), out.start_wh, row)
    if at != _WRONG:
        at = _reading(octets, at, out.stop_wh, row)
    if at == _WRONG or not _stands(octets, at, _TO_STAMP):
        return _WRONG, _WRONG
    at = _behind(at, _TO_STAMP)
    made = _day_number(octets, at)
    if made == _WRONG or days.intervals[made] == 0:
        return _WRONG, made
    out.posted_at[row] = _instant(octets, at + Word(8), made, days)
    if out.posted_at[row] < 0 or not _stands(octets, at + Word(14), _TO_INTERVALS):
        return _WRONG, _WRONG
    out.day[row] = days.since_1970[day]
    return _intervals(octets, _behind(at + Word(14), _TO_INTERVALS), count, out.wh[row], out.estimated[row]), _WRONG


@kernel
def read_rows(
    octets: OctetArray, begin: int, end: int, ended: bool, days: Days, out: Rows, row: int, most: int
) -> tuple[int, np.int64, np.int64]:
    """Read canonical records, each behind the other, until one is not, or might go on behind the end.

    octets: ``LONGEST`` zeros stand behind ``end``. ended: nothing comes behind it. row: of ``out`` for the first one. most: rows that may be filled then.
    Returns how many are, where the first octet behind them is, and the number of a day to ``learn`` before it goes on; -1: none.
    """
    at = np.int64(begin)
    while row < most and (ended or end - at >= LONGEST):
        behind, unknown = _record(octets, Word(at), days, out, row)
        if unknown != _WRONG:
            return row, at, np.int64(unknown)
        # Rows that follow might go on with it.
        if behind == _WRONG or not (behind == Word(end) or _stands(octets, behind, _ROW_1)):
            break
        at = np.int64(behind)
        row += 1
    return row, at, np.int64(-1)


@kernel
def _put(out: OctetArray, at: Word, text: OctetArray) -> Word:
    for index in range(len(text)):
        out[at + Word(index)] = text[index]
    return _behind(at, text)


@kernel
def _put_kwh(out: OctetArray, at: Word, wh: Word) -> Word:
    whole, rest = wh // _THOUSAND, wh % _THOUSAND
    least, end = _TEN, at + _ONE
    while whole >= least:
        least *= _TEN
        end += _ONE
    digit = end
    while digit > at:
        digit -= _ONE
        out[digit] = _ZERO + whole % _TEN
        whole //= _TEN
    out[end] = _POINT
    out[end + _ONE] = _ZERO + rest // _HUNDRED
    out[end + _TWO] = _ZERO + rest // _TEN % _TEN
    out[end + _THREE] = _ZERO + rest % _TEN
    return end + _FOUR


@kernel
def write_rows(rows: Rows, counts: LongArray, days: OctetArray, stamps: OctetArray, out: OctetArray) -> Word:
    """Write records; returns how many octets.

    counts: intervals of each day of ``days``. days: (k, 8) their texts. stamps: (k, 14) texts of instants. out: ``LONGEST`` octets a record are enough.
    """
    at = Word(0)
    for row in range(len(rows.day)):
        at = _put(out, at, _ROW_1)
        for octet in rows.esiid[row]:
            if octet == 0:
                break
            out[at] = octet
            at += _ONE
        out[at], out[at + _ONE], out[at + _TWO] = _COMMA, _ZERO + Word(rows.channel[row]), _COMMA
        day = days[rows.day[row]]
        at = _put(out, _put(out, at + _THREE, day), _MIDNIGHT)
        at = _put(out, _put(out, at, day), _TO_READINGS)
        for wh in (rows.start_wh[row], rows.stop_wh[row]):
            if wh >= 0:
                at = _put_kwh(out, at, Word(wh))
            out[at] = _COMMA
            at += _ONE
        at = _put(out, _put(out, at, _TO_STAMP), stamps[rows.posted_at[row]])
        at = _put(out, at, _TO_INTERVALS)
        for index in range(counts[rows.day[row]]):
            at = _put_kwh(out, at, Word(rows.wh[row, index]))
            out[at], out[at + _ONE], out[at + _TWO] = _COMMA, _E if rows.estimated[row, index] else _A, _COMMA
            out[at + _THREE] = _COMMA
            at += _FOUR
        out[at - _ONE] = _LINE_END
    return at
