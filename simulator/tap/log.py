"""The file of exchanges: one line of JSON each, in the model's order, each with the SHA-256 of the line before, in whole lines whatever ends the process."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from headend.http.log import LOG
from meters.calendar import Micros
from simulator.errors import SimulatorError
from simulator.tap.masked import MOST_BODY, Masker

#: Raised when a reader of older files could misread a newer one.
FORMAT = 1
#: What a file begins with.
OURS = b'{"n":0,"prev":"",'
#: Lines and octets of one instant that are held back to be ordered, at most.
MOST_HELD, MOST_HELD_OCTETS = 20_000, 8 << 20
encoded: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":")).encode


class Wire(NamedTuple):
    """A wire and who speaks on it: who asks, who is asked."""

    name: str
    source: str
    target: str


#: In the order in which wires are written that were busy in one instant: roughly that of cause and effect.
ORDER = (
    *("control", "desk", "portal", "market", "inquiries", "modbus", "events", "call-backs"),
    *("bills", "ftps", "files", "pages"),
)
_RANK = {name: rank for rank, name in enumerate(ORDER)}


class Began(NamedTuple):
    """When an exchange began: by the model's clock, and by a clock of this process."""

    at_us: Micros
    wall: float


class _Held(NamedTuple):
    rank: int
    stream: str
    text: str


class WireLog:
    """The file of one run. Any thread may note in it."""

    def __init__(
        self,
        path: Path,
        now_us: Callable[[], Micros],
        about: Mapping[str, Any],
        *,
        ordered: bool = False,
        most_body: int = MOST_BODY,
    ) -> None:
        """Open the file anew, with its head. about: told in it.

        ordered: hold the lines of an instant back until the clock has moved, and write them by wire and stream, so that two runs give the same order;
        else each is written as it ends. most_body: octets of a body that are kept as they are. Raises SimulatorError ``wire.unwritable``, ``wire.not_ours`` for a file that is something else.
        """
        self._path = path
        self._now_us = now_us
        self._ordered = ordered
        self.masker = Masker()
        self.most_body = most_body
        #: ``host:port`` of the applications that note what comes in by themselves: one exchange is one line.
        self.own: set[str] = set()
        self._lock = threading.Lock()
        self._held: list[_Held] = []
        self._held_octets, self._held_at = 0, now_us()
        self.lines, self.head = 0, ""
        self._failed: OSError | None = None
        try:
            if path.is_file() and path.stat().st_size and not _ours(path):
                raise SimulatorError("wire.not_ours", "This is something else.", str(path), "Name a new file.")
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        except OSError as error:
            raise _unwritable(path, error) from None
        self._write([encoded({"wire": FORMAT, **about})[1:-1]])

    def begin(self) -> Began:
        """An exchange begins."""
        return Began(self._now_us(), time.perf_counter())

    def note(self, wire: Wire, began: Began, what: str, stream: str = "") -> None:
        """Write an exchange that has ended. what: members of its JSON. stream: orders what one instant holds of a wire; within one, as they ended."""
        now_us = self._now_us()
        text = (
            f'"at_us":{began.at_us},"took_us":{now_us - began.at_us},"wire":"{wire.name}","from":"{wire.source}",'
            f'"to":"{wire.target}",{what},"run":{{"ms":{(time.perf_counter() - began.wall) * 1000:.1f}}}'
        )
        with self._lock:
            if not self._ordered:
                self._write([text])
                return
            if now_us != self._held_at or len(self._held) >= MOST_HELD or self._held_octets > MOST_HELD_OCTETS:
                self._flush()
                self._held_at = now_us
            self._held.append(_Held(_RANK[wire.name], stream, text))
            self._held_octets += len(text)

    def close(self) -> None:
        """Write what is held, and a last line that says so. Raises SimulatorError ``wire.unwritable`` if anything could not be written."""
        with self._lock:
            self._flush()
            self._write([f'"closed_us":{self._now_us()}'])
            os.close(self._file)
            # Its number may be another file's from here on.
            self._file = -1
        if self._failed is not None:
            raise _unwritable(self._path, self._failed)

    def _flush(self) -> None:
        held, self._held, self._held_octets = self._held, [], 0
        held.sort(key=lambda one: (one.rank, one.stream))
        if held:
            self._write([one.text for one in held])

    def _write(self, texts: list[str]) -> None:
        """Write whole lines in one go, so that a kill leaves none of them half."""
        out = bytearray()
        for text in texts:
            line = b'{"n":%d,"prev":"%s",%s}\n' % (self.lines, self.head.encode(), text.encode())
            self.lines, self.head = self.lines + 1, sha256(line).hexdigest()
            out += line
        if self._failed is not None:
            return
        try:
            while out:
                del out[: os.write(self._file, out)]
        except OSError as error:
            # The run goes on, and is told of it at its end.
            self._failed = error
            LOG.log(logging.WARNING, "%s cannot be written: %s", self._path, error.strerror)


def _ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(OURS)) == OURS


def _unwritable(path: Path, error: OSError) -> SimulatorError:
    said = f"The exchanges cannot be written: {error.strerror}."
    return SimulatorError("wire.unwritable", said, str(path), "Name another file, or make room.")
