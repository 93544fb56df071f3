"""LSE files mutated at random, each read, decided on and answered: no traceback, no record that is right by one reading and wrong by the other, none that takes long.

``python -m tests.headend.lse.mutations [COUNT] [SEED]``; ``make lse-mutations`` plays a hundred thousand.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from headend.lse.format import Severity
from headend.lse.reader import read
from headend.lse.warned import warnings_of
from headend.lse.writer import dumps, read_result_csv, result_csv
from headend.lse.zoo import animals
from headend.vee.quality import Channel
from meters.calendar import epoch
from simulator.smt.usage.intake import decide
from tests.headend.lse.plain import right_records
from tests.headend.lse.test_lse import DUNS, ESIID, FALL, NAME, ORDINARY, SPRING, _record

#: CPU seconds that a file may take.
MOST_S = 2.0
NOW = epoch("2026-11-03T07:30")
_TEXTS = [
    *(
        "",
        " ",
        "0",
        "-0",
        "-0.001",
        ".5",
        "5.",
        ".",
        "1e3",
        "NaN",
        "inf",
        "+1",
        "1_0",
        "0x1",
        "٣",
        "A",
        "E",
        "a",
        "M",
        "Y",
        "N",
        "\0",
    ),
    *("00000001", "00000002", "00000003", "00000004", "10000000", "99999999", "20260812000000", "20260812235959"),
    *(
        "20260308023000",
        "99999999999999",
        "900",
        "01",
        "1",
        "4",
        "2147483.647",
        "2147483.648",
        "9" * 40,
        "0." + "0" * 40,
    ),
]


class Played(NamedTuple):
    """What mutations came to."""

    files: int
    #: Records that were right, result codes, and warnings.
    right: int
    codes: Counter[str]
    warnings: int
    slowest_s: float


def play(count: int, seed: int) -> Played:
    """Play mutations. Raises AssertionError, with the file's octets, for one that two readings tell otherwise or that takes long."""
    draw, bases = random.Random(seed), _bases()
    right, warnings, codes, slowest = 0, 0, Counter[str](), 0.0
    for _ in range(count):
        content = bytearray(draw.choice(bases))
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            draw.choice(_MUTATIONS)(content, draw)
        began = time.process_time()
        found = read(bytes(content), NAME)
        warned = warnings_of(found.records, {}, lambda _esiid: 1)
        decided = decide(found, DUNS, lambda _esiid: True, {}, NOW, warned)
        rows = read_result_csv(result_csv(NAME, decided.rows)[1])
        took = time.process_time() - began
        slowest = max(slowest, took)
        assert took < MOST_S, bytes(content)
        told = {record.line: record for record in found.records}
        plain = right_records(bytes(content))
        assert told.keys() == plain.keys(), (told.keys() ^ plain.keys(), bytes(content))
        for line, record in told.items():
            readings = tuple(_wh(one) for one in plain[line].readings)
            mine = (
                record.esiid,
                str(int(record.channel)),
                f"{record.day:%Y%m%d}",
                record.start_reading_wh,
                record.stop_reading_wh,
            )
            assert mine == (*plain[line][:3], *readings), bytes(content)
            assert record.wh.tolist() == [_wh(one) for one in plain[line].kwh], bytes(content)
            assert "".join("E" if one else "A" for one in record.estimated) == "".join(plain[line].statuses), bytes(
                content
            )
        assert {row.line for row in rows if row.code == "00"} <= told.keys(), bytes(content)
        # What is not right is told of.
        errors = [one for one in found.findings if one.severity is Severity.ERROR]
        assert errors or (told and len(rows) == len(told)), bytes(content)
        right, warnings = right + len(told), warnings + len(warned)
        codes.update(row.code for row in rows)
    return Played(count, right, codes, warnings, slowest)


def _wh(kwh: object) -> int | None:
    return None if kwh is None else int(kwh * 1000)  # type: ignore[operator]


def _bases() -> list[bytes]:
    """Sound files, and those of the zoo."""
    days = [[_record(day), _record(day, Channel.GENERATION, readings=False)] for day in (SPRING, ORDINARY, FALL)]
    sound = [dumps(records) for records in (*days, [one for day in days for one in day], days[1][:1])]
    zoo = [animal.file(DUNS, ESIID, date(2026, 8, 11))[1] for animal in animals() if animal.code != "F1"]
    return [*sound * 5, *zoo]


def _octet(content: bytearray, draw: random.Random) -> None:
    if content:
        content[draw.randrange(len(content))] = draw.choice((draw.randrange(256), *b",.\n\r0159AE- "))


def _insert(content: bytearray, draw: random.Random) -> None:
    content.insert(draw.randint(0, len(content)), draw.choice((draw.randrange(256), *b",.\n\r0159AE- ")))


def _delete(content: bytearray, draw: random.Random) -> None:
    at = draw.randint(0, len(content))
    del content[at : at + draw.choice((1, 1, 2, 9, 200))]


def _cut(content: bytearray, draw: random.Random) -> None:
    del content[draw.randint(0, len(content)) :]


def _splice(content: bytearray, draw: random.Random) -> None:
    at, other = draw.randint(0, len(content)), draw.randint(0, len(content))
    content[at:at] = content[other : other + draw.choice((5, 60, 900))]


def _line(content: bytearray, draw: random.Random) -> None:
    lines = bytes(content).splitlines(keepends=True)
    if not lines:
        return
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    match draw.randrange(5):
        case 0:
            del lines[one]
        case 1:
            lines.insert(other, lines[one])
        case 2:
            lines[one], lines[other] = lines[other], lines[one]
        case 3:
            lines.insert(one, draw.choice((b"\n", b"\r\n", b" \n", b"# remark\n", b"00000001,\n")))
        case _:
            lines[one] = lines[one].rstrip(b"\r\n") + b"\r\n"
    content[:] = b"".join(lines)


def _field(content: bytearray, draw: random.Random) -> None:
    lines = bytes(content).split(b"\n")
    at = draw.randrange(len(lines))
    fields = lines[at].split(b",")
    text = draw.choice(_TEXTS).encode()
    where = draw.randrange(len(fields))
    fields[where] = draw.choice((text, text + fields[where], fields[where] + text))
    lines[at] = b",".join(fields)
    content[:] = b"\n".join(lines)


_MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [
    _octet,
    _insert,
    _delete,
    _cut,
    _splice,
    _line,
    _field,
    _field,
    _line,
]

if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    played = play(*(given + [100_000, 20260812][len(given) :]))
    print(
        f"{played.files:,} files, {played.right:,} right records, {played.warnings:,} warnings, slowest {played.slowest_s:.3f} s of CPU"
    )
    print("codes:", ", ".join(f"{code} {number:,}" for code, number in sorted(played.codes.items())))
