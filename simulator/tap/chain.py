"""Whether a file of exchanges is as it was written, and its exchanges read again."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

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
#: What is asked on a wire that is none of HTTP.
_ASKED = {"ftps": "command", "modbus": "pdu"}
#: Where the years of four digits end.
_NO_YEAR_US = 253_402_300_800_000_000
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
            or f"{len(str(self.reply.get('pdu', ''))) // 2} octets"
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


class Index:
    """Where the exchanges of a file lie, so that those of few wires are read without the rest of it, however often. 17 octets are held for each line.

    Raises SimulatorError ``wire.unreadable`` once it is looked at.
    """

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self.path = path

    @cached_property
    def _columns(self) -> tuple[list[bytes], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
        """Names of the wires, an empty one for a line that does not begin as ours do; of each line its wire, its instant, and where it begins and the last one ends."""
        names: dict[bytes, int] = {b"": 0}
        wires, at_us, begins, offset = bytearray(), array("q"), array("q"), 0
        with _opened(self.path) as file:
            for line in file:
                found = _BEGINS.match(line)
                instant, wire = found.groups() if found else (0, b"")
                wires.append(names.setdefault(wire, len(names)))
                at_us.append(int(instant))
                begins.append(offset)
                offset += len(line)
        begins.append(offset)
        return (
            list(names),
            np.frombuffer(wires, np.uint8),
            np.frombuffer(at_us, np.int64),
            np.frombuffer(begins, np.int64),
        )

    def exchanges(self, wires: Sequence[str], since_us: Micros, until_us: Micros) -> Iterator[Exchange]:
        """Those on some wires, on all if none are named, that began between two instants, the second left out."""
        names, wire, at_us, begins = self._columns
        wanted = np.array([not name or not wires or name.decode() in wires for name in names])
        rows = np.flatnonzero(wanted[wire] & ((wire == 0) | (at_us >= since_us) & (at_us < until_us)))
        with _opened(self.path) as file:
            for row in rows:
                offset = int(begins[row])
                file.seek(offset)
                found = _read(file.read(int(begins[row + 1]) - offset), int(row), offset, self.path)
                # Of a line that does not begin as ours do it is known only now.
                if found and (not wires or found.wire in wires) and since_us <= found.at_us < until_us:
                    yield found


def exchanges_at(path: Path, offsets: Iterable[int]) -> Iterator[Exchange]:
    """The exchanges that begin at some octets of a file, in that order. Raises SimulatorError ``wire.unreadable``."""
    with _opened(path) as file:
        for offset in offsets:
            file.seek(offset)
            found = _read(file.readline(), f"at octet {offset}", offset, path)
            assert found is not None
            yield found


def _read(line: bytes, number: object, offset: int, path: Path) -> Exchange | None:
    """An exchange; None for a file's first and last line."""
    try:
        told = _told(line)
        if "ask" not in told:
            return None
        one = Exchange(
            told["n"],
            told["at_us"],
            told["took_us"],
            told["wire"],
            told["from"],
            told["to"],
            told["ids"],
            told["ask"],
            told["reply"],
            offset,
        )
        # A chain holds for whatever somebody else wrote into it too.
        if not _sound(one):
            raise ValueError
        return one
    except (ValueError, KeyError, TypeError):
        raise SimulatorError("wire.unreadable", f"Line {number} is no exchange.", str(path), _MEND) from None


def _sound(one: Exchange) -> bool:
    """Whether an exchange has what every reader of it relies on."""
    if not (type(one.at_us) is int and 0 <= one.at_us < _NO_YEAR_US and type(one.n) is type(one.took_us) is int):
        return False
    if not (type(one.wire) is str and type(one.ids) is type(one.ask) is type(one.reply) is dict):
        return False
    if not all(type(ident) is str for ident in one.ids.values()):
        return False
    return type(one.ask.get(_ASKED.get(one.wire, "path"))) is str and type(one.reply.get("status", 0)) is int


def _told(line: bytes) -> Any:
    """What a line says. The quick reader takes no half of a surrogate pair, which may stand in what a stranger sent."""
    try:
        return from_json(line)
    except ValueError:
        return json.loads(line)


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
            took, cut = _TOOK.search(line, max(0, len(line) - 60)), _CUT in line
            if took and (cut or float(took[1]) > over_ms) and (begins := _BEGINS.match(line)):
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
