"""The exchanges of a file read again: all of them, those on some wires, those at some places, and those that were slow or too long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meters.calendar import Micros, micros
from simulator.errors import SimulatorError
from simulator.tap.chain import Exchange, Index, Took, exchanges, exchanges_at, slow_or_cut
from simulator.tap.log import Wire
from tests.simulator.tap.written import Clock, log_at

WIRES = {name: Wire(name, "one", "other") for name in ("market", "modbus", "ftps")}
#: An exchange each: its wire, its instant in microseconds, what was asked and answered.
WRITTEN = [
    ("market", 1_000, '"ask":{"method":"POST","path":"/v2/odr/"},"reply":{"status":200,"body":"{\\"statusCode\\":\\"ACK\\"}"}'),
    ("modbus", 2_000, '"ask":{"pdu":"0300200002"},"reply":{"pdu":"030400010002"}'),
    ("modbus", 3_000, '"ask":{"pdu":"0800"},"reply":{"error":"timeout"}'),
    ("ftps", 4_000, '"ask":{"command":"STOR","about":"a.csv"},"reply":{"code":226}'),
    ("market", 5_000, '"ask":{"method":"GET","path":"/v2/"},"reply":{"status":200,"body":{"octets":9,"sha256":"x"}}'),
]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    clock = Clock()
    log = log_at(tmp_path / "wire.jsonl", clock)
    for wire, clock.now, what in WRITTEN:
        log.note(WIRES[wire], log.begin(), f'"ids":{{}},{what}')
    log.close()
    return tmp_path / "wire.jsonl"


def numbers(found: Iterator[Exchange]) -> list[int]:
    return [one.n for one in found]


def test_an_exchange_tells_in_a_few_words_what_was_asked_and_what_came(file: Path) -> None:
    assert [(one.label, one.came) for one in exchanges(file)] == [
        ("POST /v2/odr/", "200 ACK"),
        ("read 2 registers from 32", "6 octets"),
        ("PDU 0800", "timeout"),
        ("STOR a.csv", "226"),
        ("GET /v2/", "200"),
    ]


def test_what_is_left_aside_is_not_read_and_the_others_keep_their_places(file: Path) -> None:
    asked: list[tuple[int, str]] = []

    def aside(at_us: Micros, wire: str) -> bool:
        asked.append((at_us, wire))
        return wire == "modbus"

    found = list(exchanges(file, aside))
    assert asked == [(at_us, wire) for wire, at_us, _ in WRITTEN]
    assert [one.n for one in found] == [1, 4, 5]
    lines = file.read_bytes()
    assert all(lines[one.offset :].startswith(b'{"n":%d,' % one.n) for one in found)


@pytest.mark.parametrize(
    ("wires", "since_us", "until_us", "found"),
    [
        (["market"], micros(0), micros(10_000), [1, 5]),
        ([], micros(2_000), micros(4_000), [2, 3]),
        (["ftps", "modbus"], micros(3_000), micros(4_001), [3, 4]),
        (["portal"], micros(0), micros(10_000), []),
    ],
)
def test_an_index_finds_what_began_on_some_wires_between_two_instants(
    file: Path, wires: list[str], since_us: Micros, until_us: Micros, found: list[int]
) -> None:
    index = Index(file)
    for _ in range(2):
        assert numbers(index.exchanges(wires, since_us, until_us)) == found


def test_an_index_names_the_line_that_is_no_exchange_whatever_wire_is_asked_for(file: Path) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:2], b'{"ask":1}\n', *lines[3:]]))
    with pytest.raises(SimulatorError, match="Line 2 is no exchange"):
        list(Index(file).exchanges(["ftps"], micros(0), micros(10_000)))


def test_exchanges_are_read_at_their_places_in_the_order_that_is_asked(file: Path) -> None:
    places = [one.offset for one in exchanges(file)]
    assert numbers(exchanges_at(file, [places[3], places[0]])) == [4, 1]
    assert numbers(exchanges_at(file, [])) == []
    with pytest.raises(SimulatorError, match=r"at octet \d+ is no exchange"):
        list(exchanges_at(file, [places[1] + 1]))


@pytest.mark.parametrize("at_us", ["-1", "253402300800000000", "1.5", '"1"', "true", "1e999"])
def test_an_instant_that_no_clock_shows_is_refused(file: Path, at_us: str) -> None:
    file.write_bytes(file.read_bytes().replace(b'"at_us":3000', f'"at_us":{at_us}'.encode()))
    with pytest.raises(SimulatorError, match="Line 3 is no exchange"):
        list(exchanges(file))


def test_what_took_long_or_was_too_long_to_keep_is_found_without_the_rest(file: Path) -> None:
    written = file.read_text(encoding="ascii").splitlines(keepends=True)
    taken = ["5.0", "5.1", "0.2", "1.0", "0.1"]
    told = [line.partition('"run":')[0] + f'"run":{{"ms":{ms}}}}}\n' for line, ms in zip(written[1:6], taken, strict=True)]  # fmt: skip
    file.write_text("".join([written[0], *told, written[6]]), encoding="ascii")
    assert list(slow_or_cut(file, 5.0)) == [Took(2, "modbus", 5.1, False), Took(5, "market", 0.1, True)]
    assert [one.n for one in slow_or_cut(file, 100.0)] == [5]
