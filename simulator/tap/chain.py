"""Whether a file of exchanges is as it was written, and its exchanges read again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from meters.calendar import Micros, micros
from simulator.errors import SimulatorError
from simulator.tap.log import OURS

_CLOSED = b'"closed_us":'
_NUMBER = re.compile(rb'\{"n":(\d{1,15}),"prev":"')
_BEGINS = re.compile(rb'\{"n":\d+,"prev":"\w+","at_us":(\d+),"took_us":\d+,"wire":"([\w-]+)"')
_TOOK = re.compile(rb'"run":\{"ms":([\d.]+)\}\}\n$')
#: What stands in the place of a body that is too long to be kept.
_CUT = b'"body":{"octets":'
#: What the market API says of a request in its answer.
_SAID = re.compile(r'"statusCode":"?(\w+)')
_MEND = "Name the wire.jsonl of a run of 'ami scenario run' or of 'ami sandbox --wire'."


@dataclass(frozen=True, slots=True)
class Chain:
    """What was found of a file. ``fault``: of the first line that is not as it was written, in a sentence; empty when there is none."""

    #: Without head and last line.
    exchanges: int
    #: SHA-256 of the last line that holds.
    head: str
    #: Whether it was closed, so that nothing is missing at its end.
    closed: bool
    fault: str = ""


def check_chain(path: Path) -> Chain:
    """Hold every line against the hash that the next one has of it. Raises SimulatorError ``wire.unreadable`` for what is no such file."""
    lines, head, closed = 0, "", False
    with _opened(path) as file:
        for line in file:
            begins = b'{"n":%d,"prev":"%s",' % (lines, head.encode())
            if closed or not line.startswith(begins) or not line.endswith(b"}\n"):
                return Chain(max(0, lines - 1), head, False, _fault(lines, closed, line, file.readline()))
            lines, closed = lines + 1, line.startswith(_CLOSED, len(begins))
            head = sha256(line).hexdigest()
    return Chain(lines - 1 - closed, head, closed)


def _fault(number: int, closed: bool, line: bytes, following: bytes) -> str:
    """What is wrong with a line that does not follow from the one before. following: the next one."""
    if closed:
        return f"Line {number} was added behind the last one."
    if not line.endswith(b"}\n"):
        return f"Line {number} was cut short."
    found = _NUMBER.match(line)
    if found is None:
        return f"Line {number} was altered."
    if int(found[1]) != number:
        return f"Line {number} is not where it was: line {int(found[1])} stands there."
    # If the next one confirms this one, it is the one before that is not as it was.
    whole = not following or sha256(line).hexdigest().encode() in following[:100]
    return f"Line {number - 1 if whole else number} was altered."


@dataclass(frozen=True, slots=True)
class Exchange:
    """A line. ``at_us``: model time when it began; ``ids``: correlation id, call reference, ESI ID and the like, as far as it has them.

    ``offset``: where it begins in its file, octets.
    """

    n: int
    at_us: Micros
    took_us: Micros
    wire: str
    source: str
    target: str
    ids: dict[str, str]
    ask: dict[str, Any]
    reply: dict[str, Any]
    offset: int = 0

    @property
    def label(self) -> str:
        """What was asked, in a few words."""
        if self.wire == "ftps":
            return f"{self.ask['command']} {self.ask.get('about', '')}".strip()
        if self.wire == "modbus":
            return _registers(str(self.ask["pdu"]))
        return f"{self.ask['method']} {self.ask['path']}"

    @property
    def came(self) -> str:
        """What came back, in a word or two."""
        if "error" in self.reply:
            return str(self.reply["error"])
        said = _SAID.search(str(self.reply.get("body", ""))) if self.wire == "market" else None
        status = str(
            self.reply.get("status")
            or self.reply.get("code")
            or self.reply.get("text")
            or f"{len(self.reply['pdu']) // 2} octets"
        )
        return f"{status} {said[1]}" if said and said[1] != status else status


def _registers(pdu: str) -> str:
    if len(pdu) != 10 or pdu[:2] != "03":
        return f"PDU {pdu}"
    return f"read {int(pdu[6:], 16)} registers from {int(pdu[2:6], 16)}"


def exchanges(path: Path, aside: Callable[[Micros, str], bool] = lambda _at_us, _wire: False) -> Iterator[Exchange]:
    """The exchanges of a file, one after the other.

    aside: of an exchange's instant and wire, whether it is left out; most of a file is daily traffic, and reading it takes ten times as long.
    Raises SimulatorError ``wire.unreadable``.
    """
    with _opened(path) as file:
        following = 0
        for number, line in enumerate(file):
            offset, following = following, following + len(line)
            begins = _BEGINS.match(line)
            if begins is not None and aside(micros(int(begins[1])), begins[2].decode()):
                continue
            found = _read(line, number, offset, path)
            if found is not None:
                yield found


def exchange_at(path: Path, offset: int) -> Exchange:
    """The exchange that begins at an octet of a file. Raises SimulatorError ``wire.unreadable``."""
    with _opened(path) as file:
        file.seek(offset)
        found = _read(file.readline(), f"at octet {offset}", offset, path)
    assert found is not None
    return found


def _read(line: bytes, number: object, offset: int, path: Path) -> Exchange | None:
    """An exchange; None for a file's first and last line."""
    try:
        told = json.loads(line)
        if "ask" not in told:
            return None
        return Exchange(
            told["n"],
            micros(told["at_us"]),
            micros(told["took_us"]),
            told["wire"],
            told["from"],
            told["to"],
            told["ids"],
            told["ask"],
            told["reply"],
            offset,
        )
    except (ValueError, KeyError, TypeError):
        raise SimulatorError("wire.unreadable", f"Line {number} is no exchange.", str(path), _MEND) from None


@dataclass(frozen=True, slots=True)
class Took:
    """An exchange that was not quick, or not kept whole. ``ms``: wall milliseconds; ``cut``: a body was too long to be kept."""

    n: int
    wire: str
    ms: float
    cut: bool


def slow_or_cut(path: Path, over_ms: float) -> Iterator[Took]:
    """The exchanges of a file that took more wall milliseconds, or lack a body; the rest is not read. Raises SimulatorError ``wire.unreadable``."""
    with _opened(path) as file:
        for number, line in enumerate(file):
            took, begins = _TOOK.search(line, max(0, len(line) - 60)), _BEGINS.match(line)
            cut = _CUT in line
            if took and begins and (cut or float(took[1]) > over_ms):
                yield Took(number, begins[2].decode(), float(took[1]), cut)


def _opened(path: Path) -> Any:
    try:
        file = path.open("rb")
    except OSError as error:
        raise SimulatorError("wire.unreadable", f"It cannot be read: {error.strerror}.", str(path), _MEND) from None
    if file.read(len(OURS)) != OURS:
        file.close()
        raise SimulatorError("wire.unreadable", "This is no file of exchanges.", str(path), _MEND)
    file.seek(0)
    return file
