"""What is seen of the files that a head-end posts, id by id: each record held against what its meters hold, and since when that is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby, pairwise
from operator import attrgetter

from headend.lse.format import ROWS, wh_of
from headend.lse.warned import TOLERANCE_WH
from meters.calendar import INTERVAL_S, Seconds, day_start
from scenarios.actions.outside.await_files import AwaitFiles, RecordedFiles, RecordedPosting
from scenarios.certify.observed import Observation, Observed, Step

Seen = Iterator[Observation]
LOAD, LOADED = "4", "00"
#: A multiplier as it is written, 1 where it is left out.
_TIMES = r"(\d{1,6}(\.0*)?)?"
#: A day's sum that is so many times what the meters hold is told in another unit.
_OTHER_UNIT = 100


@dataclass(frozen=True)
class Posted:
    """A record as it stands in its file, whether or not SMT has loaded it."""

    file: RecordedPosting
    code: str
    esiid: str
    channel: str
    day: str
    #: Where it begins in its file.
    line: int
    #: Registers at both midnights, and what they are multiplied by, as they are written.
    readings: tuple[str, str, str]
    made: str
    intervals: tuple[tuple[str, str], ...]
    truth: dict[int, tuple[int, int]]
    given: dict[int, int]
    late: dict[tuple[str, int], Seconds]
    #: Wh that the service carries in a quarter hour; None where that is not known.
    most_wh: int | None

    @property
    def key(self) -> tuple[str, str, str]:
        """ESI ID, channel, day."""
        return self.esiid, self.channel, self.day

    @cached_property
    def ends(self) -> list[int]:
        """Where its day's quarter hours end; none of what is no day."""
        try:
            day = date.fromisoformat(self.day)
        except ValueError:
            return []
        return list(range(day_start(day) + INTERVAL_S, day_start(day + timedelta(days=1)) + 1, INTERVAL_S))

    @cached_property
    def wh(self) -> list[int]:
        """Wh of its intervals; none where one of them is no number."""
        found = [_wh(value) for value, _ in self.intervals]
        return [one for one in found if one is not None] if None not in found else []

    @property
    def held(self) -> list[int]:
        """Wh that the meter holds of its day, taken or given."""
        of_load = self.channel == LOAD
        return [self.truth[end][0] if of_load else self.given.get(end, 0) for end in self.ends if end in self.truth]

    @property
    def counted(self) -> bool:
        """Whether it has as many numbers as its day has quarter hours, all known."""
        return len(self.wh) == len(self.ends) == len(self.held) > 0

    @property
    def registers(self) -> tuple[int | None, int | None]:
        """Wh of its readings, multiplied; None for one that is none."""
        start, stop = map(_wh, self.readings[:2])
        return (start and start * self.times, stop and stop * self.times) if self.times else (None, None)

    @property
    def times(self) -> int:
        """The multiplier; 0 where it is none."""
        written = self.readings[2]
        return int(written.partition(".")[0] or "1") if re.fullmatch(_TIMES, written, re.ASCII) else 0

    @property
    def in_wh(self) -> bool:
        """Whether its sum is far beyond what the meter holds: told in another unit."""
        return self.counted and sum(self.wh) > _OTHER_UNIT * sum(self.held) > 0

    def known(self, end: int) -> bool:
        """Whether a quarter hour was known when it was posted."""
        return self.late.get((self.esiid, end), 0) <= self.file.at

    @property
    def said(self) -> str:
        """Which it is."""
        return f"{self.esiid}'s {self.day} in {self.file.name}"


def _wh(text: str) -> int | None:
    """Wh as SMT reads them; None for what it takes for no energy."""
    try:
        wh = wh_of(text)
    except ValueError:
        return None
    return wh if wh >= 0 else None


@dataclass(frozen=True)
class Awaited:
    """A day that was waited for."""

    step: Step
    action: AwaitFiles
    record: RecordedFiles
    records: list[Posted]

    @property
    def own(self) -> list[Posted]:
        """The records of its day, and those of others that came with it, of the TDSP's own."""
        return [one for one in self.records if one.esiid in self.record.esiids]

    def saw(self, held: bool | None, said: str, *files: RecordedPosting, needed: bool = False) -> Observation:
        """An observation with the exchanges that brought some files, or all that were made of the posting."""
        its = self.step.traffic.actions.get(self.action.ref, []) if self.step.traffic else []
        names = {one.name for one in files}
        brought = [one.n for one in its if any(name in str(one.ask.get("about", "")) for name in names)]
        cited = tuple(brought or [one.n for one in its[:6]])
        return Observation(self.step.name, self.action.ref, held, said, cited, needed)


def _parsed(file: RecordedPosting, all_of_it: Observed, most_wh: dict[str, int]) -> Iterator[Posted]:
    """Its records, by lines as SMT counts them; a byte order mark is left out there too."""
    codes = {one.line: one.code for one in file.answers}
    lines = file.content.removeprefix("\ufeff").split("\n")
    rows = [(number, line.rstrip("\r").split(",")) for number, line in enumerate(lines, 1)]
    for _, fields in rows:
        fields[0] = fields[0].strip()
    starts = [at for at, (_, fields) in enumerate(rows) if fields[0] == "00000001"]
    for at, end in pairwise([*starts, len(rows)]):
        its = [fields for _, fields in rows[at:end]]
        head, registers, stamp = (
            next(([*one, *[""] * 5] for one in its if one[0] == f"{number:08}"), [""] * 6) for number in (1, 2, 4)
        )
        values = [
            one for fields in its if ROWS.fullmatch(fields[0]) for one in zip(fields[1::3], fields[2::3], strict=False)
        ]
        esiid, began = head[1], head[3]
        yield Posted(
            file,
            codes.get(rows[at][0], ""),
            esiid,
            head[2],
            f"{began[:4]}-{began[4:6]}-{began[6:8]}",
            rows[at][0],
            (registers[1], registers[2], registers[3]),
            stamp[1],
            tuple(values),
            all_of_it.truth.get(esiid, {}),
            all_of_it.given.get(esiid, {}),
            all_of_it.late,
            most_wh.get(esiid),
        )


def _awaited(all_of_it: Observed) -> Iterator[Awaited]:
    for step in all_of_it.steps:
        if step.own or step.recording is None:
            continue
        for action in step.recording.scenario.timeline:
            record = step.recording.actions.get(action.ref)
            if isinstance(action, AwaitFiles) and isinstance(record, RecordedFiles):
                records = [one for file in record.files for one in _parsed(file, all_of_it, record.most_wh)]
                yield Awaited(step, action, record, records)


def _posted(all_of_it: Observed) -> Seen:
    for one in _awaited(all_of_it):
        there = {each.esiid for each in one.own if each.day == one.record.day and each.channel == LOAD}
        lacks = sorted(set(one.record.esiids) - there)
        if lacks and len(one.own) < len(one.records):
            yield one.saw(None, "LSE-WHOSE does not hold")
        else:
            yield one.saw(not lacks, f"of {one.record.day} nothing is posted of {', '.join(lacks)}")


def _names(all_of_it: Observed) -> Seen:
    for one in _awaited(all_of_it):
        for file in one.record.files:
            held = re.fullmatch(rf"{one.record.duns}IntervalData\d{{14}}\d{{3}}\.lse", file.name, re.ASCII)
            yield one.saw(held is not None, f"a file is called {file.name}", file)


def _whose(all_of_it: Observed) -> Seen:
    for one in _awaited(all_of_it):
        for each in one.records:
            held = each.esiid in one.record.esiids
            yield one.saw(held, f"{each.file.name} tells of {each.esiid}, which is none of the TDSP's", each.file)


def _days(all_of_it: Observed, *, changes: bool) -> Seen:
    for one in _awaited(all_of_it):
        for each in one.own:
            if each.ends and (len(each.ends) != 96) is changes:
                held = len(each.intervals) == len(each.ends)
                said = f"{each.said} has {len(each.intervals)} intervals, and the day {len(each.ends)} quarter hours"
                yield one.saw(held, said, each.file)


def _once(all_of_it: Observed) -> Seen:
    for one in _awaited(all_of_it):
        for file in one.record.files:
            keys = [each.key for each in one.own if each.file is file]
            twice = next((key for key in keys if keys.count(key) > 1), None)
            if keys:
                yield one.saw(twice is None, f"{file.name} has a record {' '.join(twice or ())} twice", file)


def _loaded(all_of_it: Observed) -> Seen:
    for one in _awaited(all_of_it):
        for file in one.record.files:
            its = [each for each in one.own if each.file is file]
            bad = [answer for answer in file.answers if answer.code != LOADED]
            # What is told by itself: a name, a day, an ESI ID.
            apart = not all(len(each.intervals) == len(each.ends) for each in its)
            apart = apart or any(each.file is file and each not in its for each in one.records)
            apart = apart or any(answer.text.startswith("file name") for answer in bad)
            said = f"line {bad[0].line} of {file.name} comes to code {bad[0].code}, {bad[0].text}" if bad else ""
            yield one.saw(None if bad and apart else not bad, said or "", file)


def _each(look: Callable[[Posted], tuple[bool | None, str] | None]) -> Callable[[Observed], Seen]:
    """What is seen of each record that has its day's numbers in kWh."""

    def seen(all_of_it: Observed) -> Seen:
        for one in _awaited(all_of_it):
            for each in one.own:
                found = look(each) if each.counted and not each.in_wh else None
                if found:
                    yield one.saw(found[0], f"{each.said}: {found[1]}", each.file)

    return seen


def _compared(all_of_it: Observed) -> Seen:
    """What is told as actual; and what SMT has loaded that cannot be compared."""
    yield from _each(_truth)(all_of_it)
    for one in _awaited(all_of_it):
        for file in one.record.files:
            its = {each.line: each for each in one.records if each.file is file}
            for line in (answer.line for answer in file.answers if answer.code == LOADED):
                each = its.get(line)
                if each is None or (each in one.own and not each.counted):
                    which = f"line {line} of {file.name}" if each is None else each.said
                    yield one.saw(None, f"{which} is loaded, and nobody knows what the meter holds", file, needed=True)


def _unit(all_of_it: Observed) -> Seen:
    for one in _awaited(all_of_it):
        for each in one.own:
            if each.counted:
                said = f"{each.said} sums to {sum(each.wh)} Wh, and the meter holds {sum(each.held)} Wh"
                yield one.saw(not each.in_wh, said, each.file)


def _truth(each: Posted) -> tuple[bool, str] | None:
    told = list(zip(each.ends, each.wh, each.held, strict=True))
    wrong = [(at, wh, held) for at, (end, wh, held) in enumerate(told, 1) if wh != held and each.known(end)]
    said = f"{len(wrong)} intervals are not what the meter holds, the first is number {wrong[0][0]}: {wrong[0][1]} Wh, the meter has {wrong[0][2]} Wh" if wrong else ""  # fmt: skip
    return not wrong, said


def _estimated(each: Posted) -> tuple[bool, str] | None:
    if _truth(each) != (True, "") or {letter for _, letter in each.intervals} - {"A", "E"}:
        return None
    wrong = [
        (at, letter)
        for at, (end, (_, letter)) in enumerate(zip(each.ends, each.intervals, strict=True), 1)
        if (letter == "A") != each.known(end)
    ]
    if wrong:
        return False, f"interval {wrong[0][0]} is marked {wrong[0][1]}, and is {'not ' * (wrong[0][1] == 'A')}known"
    most = max((wh for wh, (_, letter) in zip(each.wh, each.intervals, strict=True) if letter == "E"), default=0)
    if each.most_wh is not None and most > each.most_wh:
        return False, f"{most} Wh are estimated, and the service carries {each.most_wh} Wh"
    # What the registers leave for the estimates is known where both midnights are (DOMAIN §6), of what is given to nobody.
    if each.channel != LOAD or not (each.known(each.ends[0] - INTERVAL_S) and each.known(each.ends[-1])):
        return True, ""
    start, stop = each.registers
    if start is not None and stop is not None and _readings(each)[0]:
        grown, lets_pass = stop - start, TOLERANCE_WH * each.times
    else:
        grown, lets_pass = sum(each.held), TOLERANCE_WH
    said = f"with what is estimated it comes to {sum(each.wh)} Wh, and its registers are {grown} Wh apart"
    return abs(sum(each.wh) - grown) <= lets_pass, said


def _readings(each: Posted) -> tuple[bool | None, str]:
    """Within what the meter counts in the quarter hours about a midnight; of what is given by how much they differ, since of that no register is known.

    A record may leave one out, or both: what it has is held all the same.
    """
    start, stop = each.registers
    if (start is None and stop is None) or (each.channel != LOAD and None in (start, stop)):
        return None, "what it has of readings cannot be compared: one is left out, as the format lets it be"
    if start is not None and stop is not None and each.channel != LOAD:
        return stop - start == sum(
            each.held
        ), f"its readings differ by {stop - start} Wh, and {sum(each.held)} Wh are given"
    first = each.ends[0] - INTERVAL_S
    begins = each.truth[each.ends[0]][1] - each.truth[each.ends[0]][0]
    for which, told, shown, at in (
        ("start", start, begins, first),
        ("stop", stop, each.truth[each.ends[-1]][1], each.ends[-1]),
    ):
        low, high = (each.truth.get(near, (0, shown))[1] for near in (at - INTERVAL_S, at + INTERVAL_S))
        if told is not None and not low <= told <= high:
            return (
                False,
                f"its {which} reading is {told} Wh, and the meter shows {low} to {high} Wh about that midnight",
            )
    return True, ""


def _series(all_of_it: Observed) -> Iterator[tuple[Awaited, list[Posted]]]:
    """The records of an ESI ID, channel and day in the order in which they came, each step by itself, with the last day they came with."""
    for _, group in groupby(_awaited(all_of_it), attrgetter("step.name")):
        its = list(group)
        found: dict[tuple[str, str, str], list[Posted]] = {}
        for one in its:
            for each in one.own:
                found.setdefault(each.key, []).append(each)
        for key, records in found.items():
            last = next(one for one in reversed(its) if any(each.key == key for each in one.own))
            yield last, records


def _later(all_of_it: Observed) -> Seen:
    for one, records in _series(all_of_it):
        for before, each in pairwise(records):
            if before.file is not each.file:
                said = f"{each.said} is made {each.made}, and the one before {before.made}"
                yield one.saw(each.made > before.made, said, before.file, each.file)


def _revised(all_of_it: Observed) -> Seen:
    for _, group in groupby(_awaited(all_of_it), attrgetter("step.name")):
        its = list(group)
        until, told = its[-1].record.until, [one for each in its for one in each.own if one.counted and not one.in_wh]
        for key in dict.fromkeys(one.key for one in told):
            first, *_, last = [*(one for one in told if one.key == key)] * 2
            if any(not first.known(end) and first.late[key[0], end] <= until for end in first.ends):
                held = all(last.known(end) for end in last.ends)
                yield its[-1].saw(held, f"{last.said} is the last that came, and all of it is known since", last.file)


SEEN: dict[str, Callable[[Observed], Seen]] = {
    "LSE-POSTED": _posted,
    "LSE-NAME": _names,
    "LSE-WHOSE": _whose,
    "LSE-DAY": lambda all_of_it: _days(all_of_it, changes=False),
    "LSE-DST": lambda all_of_it: _days(all_of_it, changes=True),
    "LSE-ONCE": _once,
    "LSE-UNIT": _unit,
    "LSE-LOADED": _loaded,
    "LSE-TRUTH": _compared,
    "LSE-ESTIMATED": _each(_estimated),
    "LSE-READINGS": _each(_readings),
    "LSE-LATER": _later,
    "LSE-REVISED": _revised,
}
