"""What meters were told (switch, clock), kept in a file that is only ever added to, so that meters started again show what they showed.

JSON lines, one a command: ``{"meter": "900000017", "kind": "switch", "at": 1786554000, "to": 0}``.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from meters.calendar import iso
from meters.errors import MeterError
from meters.meter import EmulatedMeter
from meters.shown import Command, CommandKind


class CommandLog:
    """An open file of commands; one process has it at a time."""

    def __init__(self, path: Path) -> None:
        """Open it, made if need be. Raises MeterError ``meters.state.unusable``, ``meters.state.in_use``."""
        self._path = path
        self._kept: dict[str, int] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise self._fault(
                "unusable", f"The file cannot be used: {error.strerror}.", "Name another with --state."
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise self._fault("in_use", "Other meters write to this file.", "Stop them, or name another.") from None

    def restore(self, meters: Iterable[EmulatedMeter], now: int) -> int:
        """Tell meters what they were told before; returns how many commands. now: UTC epoch seconds.

        Raises MeterError, with file and line, for a line that is none, a meter that there is none of, or a command that is still to come.
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
            self._kept[number] = meter.commands
            count += 1
        return count

    def keep(self, meter: EmulatedMeter) -> None:
        """Add what a meter was told since the last time. It is the system's before the client has its answer."""
        number = meter.identity.meter_number
        fresh = meter.told[self._kept.get(number, 0) :]
        lines = [{"meter": number, "kind": one.kind.value, "at": one.at, "to": one.to} for one in fresh]
        self._file.write("".join(json.dumps(line) + "\n" for line in lines))
        self._file.flush()
        self._kept[number] = meter.commands

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _lines(self) -> Iterable[tuple[str, Command]]:
        self._file.seek(0)
        try:
            text = self._file.read()
        except UnicodeDecodeError:
            raise self._fault("malformed", "This is no text.", "Name a file that --state has written.") from None
        whole, _, cut = text.rpartition("\n")
        if cut:
            # A kill in the middle of writing: its client had no answer.
            self._file.truncate(len(text.encode()) - len(cut.encode()))
        self._file.seek(0, os.SEEK_END)
        for line, told in enumerate(whole.splitlines(), 1):
            try:
                one: dict[str, Any] = json.loads(told)
                yield str(one["meter"]), Command(CommandKind(one["kind"]), int(one["at"]), int(one["to"]))
            except (ValueError, KeyError, TypeError):
                raise self._fault(
                    "malformed", "This is no command of a meter.", "Name a file that --state has written.", line
                ) from None

    def _fault(self, code: str, message: str, mend: str, line: int = 0) -> MeterError:
        place = f"{self._path}:{line}" if line else str(self._path)
        return MeterError(f"meters.state.{code}", message, place, mend)
