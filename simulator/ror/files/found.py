"""What is wrong with a usage file, by kind: how often, where it is first, and how to mend it. A file of any length has one entry a kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headend.ports import LongArray
from simulator.ror.errors import RorError

#: Most Wh of a quarter hour, 40 MW: who takes more is on no retail plan, and the bill of a cycle of them can still be counted.
MOST_WH = 10_000_000
#: Most ESI IDs of a file that are counted, and that are named.
MOST_COUNTED, MOST_NAMED = 1000, 5


@dataclass(frozen=True, slots=True)
class Found:
    """All of one kind."""

    code: str
    count: int
    #: ``usage.csv:17``, of the first.
    place: str
    message: str
    mend: str
    #: Whether what it is about is not in the record.
    left_out: bool

    def __str__(self) -> str:
        """One line."""
        times = "" if self.count == 1 else f" ({self.count:,} of them, the first told)"
        out = " Left out." if self.left_out else ""
        return f"{self.code}: {self.place}: {self.message}{times}{out} {self.mend}"

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


class Tally:
    """What has been found of one file so far, and which ESI IDs it names."""

    def __init__(self, file: str, wanted: str = "") -> None:
        """file: how it is named. wanted: the ESI ID that is read; empty: the first one."""
        self.file = file
        self.wanted = wanted
        self._lines_of: Callable[[], LongArray] | None = None
        self._kinds: dict[str, Found] = {}
        self._esiids: dict[str, int] = {}
        self._lines: LongArray | None = None

    def count_by(self, lines_of: Callable[[], LongArray]) -> None:
        """Take numbers of values for lines, from 1 on. lines_of: gives the line of each, once one is told."""
        self._lines_of = lines_of

    def line(self, number: int) -> int:
        """The line of a value that a reader has by a number."""
        if self._lines_of is None:
            return number
        if self._lines is None:
            self._lines = self._lines_of()
        return int(self._lines[number - 1])

    def tell(self, code: str, line: int, message: str, mend: str, count: int = 1, *, left_out: bool = True) -> None:
        """Count something. line: of the first; 0: of no line. The first that is told of its kind is the one that is shown."""
        known = self._kinds.get(code)
        if known is not None:
            self._kinds[code] = Found(
                known.code, known.count + count, known.place, known.message, known.mend, known.left_out
            )
        elif count:
            place = f"{self.file}:{line}" if line else self.file
            self._kinds[code] = Found(f"ror.file.{code}", count, place, message, mend, left_out)

    @property
    def kinds(self) -> tuple[Found, ...]:
        """What was found, in the order in which it first was."""
        return tuple(self._kinds.values())

    def is_read(self, esiid: str, count: int) -> bool:
        """Note an ESI ID of so many values; whether it is the one that is read."""
        if esiid in self._esiids or len(self._esiids) < MOST_COUNTED:
            self._esiids[esiid] = self._esiids.get(esiid, 0) + count
        return esiid == (self.wanted or next(iter(self._esiids)))

    def esiid(self) -> str:
        """The one that was read. Raises RorError if the file has several and none was named, or not the one that was."""
        named = ", ".join(
            f"{one or '(none)'} ({count:,} values)" for one, count in [*self._esiids.items()][:MOST_NAMED]
        )
        more = f" and {len(self._esiids) - MOST_NAMED:,} more" if len(self._esiids) > MOST_NAMED else ""
        if self.wanted and self._esiids and self.wanted not in self._esiids:
            text = f"There is nothing of ESI ID {self.wanted} in it, but of {named}{more}."
            raise RorError("ror.file.esiid", text, self.file, "Name one that it has: --esiid.")
        if not self.wanted and len(self._esiids) > 1:
            text = f"It has {len(self._esiids):,} ESI IDs: {named}{more}."
            raise RorError("ror.file.esiids", text, self.file, "Name the one that is meant: --esiid.")
        return self.wanted or next(iter(self._esiids), "")

    def refuse(self, code: str, message: str, mend: str, line: int = 0) -> RorError:
        """The error of a file of which nothing can be read."""
        return RorError(f"ror.file.{code}", message, f"{self.file}:{line}" if line else self.file, mend)
