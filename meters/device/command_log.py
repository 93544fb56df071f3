"""What meters were told (switch, clock), kept in a file that is only ever added to, so that meters started again show what they showed.

JSON lines, one a command: ``{"meter": "900000017", "kind": "switch", "at": 1786554000, "to": 0}``.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from meters.calendar import YEARS, Seconds, day_start, iso, seconds
from meters.device.meter import EmulatedMeter
from meters.errors import MeterError
from meters.shown import Command, CommandKind

_ANOTHER = "Name a file that --state has written."
#: How every line begins.
_BEGINNING = b'{"meter": "'
#: Instants of the calendar, UTC epoch seconds.
_FIRST, _UNTIL = (day_start(date(year, 1, 1)) for year in (YEARS.start, YEARS.stop))
#: What a command of a kind can be to, and how to say so.
_TO = {
    CommandKind.SWITCH: (range(2), "a switch is closed (1) or open (0)"),
    CommandKind.CLOCK: (range(_FIRST, _UNTIL), f"a clock shows an instant of {YEARS.start} to {YEARS.stop - 1}"),
}


class CommandLog:
    """An open file of commands; one process has it at a time."""

    def __init__(self, path: Path) -> None:
        """Open it, made if need be. Raises MeterError ``meters.state.unusable``, ``meters.state.in_use``."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Without a buffer, one write is one command: what a full disk has refused is not written later.
            self._file = path.open("ab+", buffering=0)
        except OSError as error:
            raise self._unusable(error.strerror) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise self._fault("in_use", "Other meters write to this file.", "Stop them, or name another.") from None
        if not path.is_file():
            self._file.close()
            raise self._unusable("it is a device or a pipe")
        #: Octets of whole lines, and when the last of them was.
        self._length = os.fstat(self._file.fileno()).st_size
        self._last = seconds(0)

    def restore(self, meters: Iterable[EmulatedMeter], now: Seconds) -> int:
        """Tell meters what they were told before; returns how many commands. now: UTC epoch seconds.

        Raises MeterError, with file and line, for a line that is none, a meter that there is none of, or a command that cannot be, comes
        before the one above it or is still to come. The file is then as it was.
        """
        by_number = {meter.identity.meter_number: meter for meter in meters}
        count = 0
        for line, (number, command) in enumerate(self._lines(), 1):
            meter = by_number.get(number)
            if meter is None:
                raise self._fault(
                    "meter",
                    f"No meter here has the number {number}.",
                    "Start the meters with the words of the last time, or name another file.",
                    line,
                )
            if command.at > now:
                raise self._fault(
                    "ahead",
                    f"A command of {iso(command.at)} is still to come on this clock ({iso(now)}).",
                    "Give the clock that it was written on (--date, --wall-start or --clock-of), or name another file.",
                    line,
                )
            meter.restore(command)
            count += 1
        return count

    def keep(self, meter_number: str, command: Command) -> None:
        """Add a command. It is the system's before the client has its answer.

        Raises OSError if it cannot be kept; nothing of it is in the file then.
        """
        # A wall clock that is set back takes no line out of order.
        at = max(command.at, self._last)
        entry = {"meter": meter_number, "kind": command.kind.value, "at": at, "to": command.to}
        line = json.dumps(entry).encode() + b"\n"
        try:
            # What an earlier failure may have left.
            self._file.truncate(self._length)
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(self._length)
            raise
        self._length += len(line)
        self._last = at

    def close(self) -> None:
        """Let go of the file."""
        # Every command is written or refused by now; a full disk has nothing to add.
        with contextlib.suppress(OSError):
            self._file.close()

    def _lines(self) -> Iterator[tuple[str, Command]]:
        self._file.seek(0)
        try:
            *lines, cut = self._file.readall().split(b"\n")
        except OSError as error:
            raise self._unusable(error.strerror) from None
        for line, text in enumerate(lines, 1):
            number, command = self._command(text, line)
            if command.at < self._last:
                raise self._fault(
                    "order",
                    f"A command of {iso(command.at)} comes after one of {iso(self._last)}.",
                    "Put the lines in the order of their 'at'.",
                    line,
                )
            self._last = command.at
            yield number, command
        if not cut.startswith(_BEGINNING[: len(cut)]):
            raise self._fault("malformed", "This is no command of a meter.", _ANOTHER, len(lines) + 1)
        # A kill in the middle of writing: its client had no answer.
        self._length -= len(cut)
        self._file.truncate(self._length)

    def _command(self, text: bytes, line: int) -> tuple[str, Command]:
        try:
            kept: dict[str, Any] = json.loads(text)
            number, kind, at, to = kept["meter"], CommandKind(kept["kind"]), kept["at"], kept["to"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise self._fault("malformed", "This is no command of a meter.", _ANOTHER, line) from None
        if not (isinstance(number, str) and re.fullmatch(r"[0-9]{1,12}", number) and type(at) is type(to) is int):
            raise self._fault("malformed", "This is no command of a meter.", _ANOTHER, line)
        if not 0 <= at < _UNTIL:
            told_range = f"'at' is out of range: seconds since 1970, before {YEARS.stop}."
            raise self._fault("range", told_range, "Mend the number, or take the line out.", line)
        allowed, said = _TO[kind]
        if to not in allowed:
            raise self._fault("range", f"'to' is out of range: {said}.", "Mend the number, or take the line out.", line)
        return number, Command(kind, seconds(at), to)

    def _unusable(self, reason: str | None) -> MeterError:
        return self._fault("unusable", f"The file cannot be used: {reason}.", "Name another with --state.")

    def _fault(self, code: str, message: str, mend: str, line: int = 0) -> MeterError:
        place = f"{self._path}:{line}" if line else str(self._path)
        return MeterError(f"meters.state.{code}", message, place, mend)
