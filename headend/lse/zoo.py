"""The zoo: files that are wrong or doubtful in one thing each, made from ``zoo.yaml`` for any TDSP, ESI ID and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from headend.lse.format import LseRecord
from headend.lse.writer import dumps, file_name
from headend.vee.quality import Channel
from meters.calendar import Seconds, day_of, epoch, intervals_in

#: Wh of every interval, and the register at the first midnight.
_WH, _REGISTER_WH = 250, 24_000_000


@dataclass(frozen=True, slots=True)
class Animal:
    """A file that is wrong in one thing, and what is told of it."""

    id: str
    code: str
    line: int
    field: str
    of: str = "pair"
    do: Sequence[Sequence[Any]] = ()
    octets: Mapping[str, Any] | None = None
    name: str = ""
    day: date | None = None

    def file(self, duns: str, esiid: str, day: date, made_at: Seconds | None = None) -> tuple[str, bytes]:
        """Its name and content. It is made two days after the operating day, at 07:30, unless it is said when."""
        day = self.day or day
        made_at = made_at or epoch(f"{day + timedelta(days=2)}T07:30")
        after = day_of(made_at)
        days = {"day": day, "next": day + timedelta(days=1), "made": after}
        words = {"duns": duns, "esiid": esiid} | {name: f"{one:%Y%m%d}" for name, one in days.items()}
        lines = dumps(_sound(self.of, esiid, day, made_at)).decode().splitlines(keepends=True)
        for kind, *how in self.do:
            _DO[kind](lines, *(one.format(**words) if isinstance(one, str) else one for one in how))
        octets = self.octets or {}
        content = (octets.get("before", "") + "".join(lines)).encode()
        content = content[: len(content) - octets.get("cut", 0)]
        return self.name.format(**words) or file_name(duns, made_at, 1), content


@cache
def animals() -> tuple[Animal, ...]:
    """All of them, as they stand in the file."""
    rows = yaml.load(Path(__file__).with_name("zoo.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return tuple(Animal(**row) for row in rows)


def _sound(of: str, esiid: str, day: date, made_at: Seconds) -> list[LseRecord]:
    def record(channel: Channel, ahead: int = 0) -> LseRecord:
        on, wh = day + timedelta(days=ahead), _WH if channel is Channel.LOAD else 0
        count = intervals_in(on)
        begins = _REGISTER_WH + ahead * intervals_in(day) * wh
        values, marks = np.full(count, wh, np.int32), np.zeros(count, np.bool_)
        return LseRecord(esiid, channel, on, begins, begins + count * wh, values, marks, made_at)

    load = record(Channel.LOAD)
    return [load, {"pair": record(Channel.GENERATION), "two_days": record(Channel.LOAD, 1), "twice": load}[of]]


def _set(lines: list[str], line: int, at: int, text: str) -> None:
    fields = lines[line - 1].rstrip("\n").split(",")
    fields[at] = text
    lines[line - 1] = ",".join(fields) + "\n"


def _less(lines: list[str], line: int, fields: int) -> None:
    lines[line - 1] = lines[line - 1].rstrip("\n").rsplit(",", fields)[0] + "\n"


def _split(lines: list[str], line: int, first: str, second: str) -> None:
    fields = lines[line - 1].rstrip("\n").split(",")[1:]
    half = len(fields) // 6 * 3
    lines[line - 1 : line] = [f"{first},{','.join(fields[:half])}\n", f"{second},{','.join(fields[half:])}\n"]


def _swap(lines: list[str], one: int, other: int) -> None:
    lines[one - 1], lines[other - 1] = lines[other - 1], lines[one - 1]


def _add(lines: list[str], line: int, text: str) -> None:
    lines[line - 1] = f"{lines[line - 1][:-1]}{text}\n"


def _only(lines: list[str], text: str, times: int) -> None:
    lines[:] = [text] * times


#: What can be done to the lines of a file.
_DO: Mapping[str, Any] = {
    "set": _set,
    "drop": lambda lines, line: lines.pop(line - 1),
    "again": lambda lines, line: lines.insert(line, lines[line - 1]),
    "insert": lambda lines, line, text: lines.insert(line - 1, f"{text}\n"),
    "swap": _swap,
    "add": _add,
    "less": _less,
    "split": _split,
    "only": _only,
}
