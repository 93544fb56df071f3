from __future__ import annotations

import os
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from meters.calendar import micros
from simulator.errors import SimulatorError
from simulator.tap import log as tap
from simulator.tap.chain import Chain, Index, check_chain, exchanges
from simulator.tap.log import Wire
from tests.simulator.tap.written import Clock, lines, log_at

MARKET, MODBUS = Wire("market", "ROR", "SMT"), Wire("modbus", "TDSP", "meters")
WHAT = '"ids":{},"ask":{"method":"GET","path":"/"},"reply":{"status":200}'
READ = '"ids":{},"ask":{"pdu":"0300000001"},"reply":{"pdu":"03020200"}'


def three(path: Path) -> list[bytes]:
    """A closed file of three exchanges; its lines."""
    log = log_at(path)
    for _ in range(3):
        log.note(MARKET, log.begin(), WHAT)
    log.close()
    return path.read_bytes().splitlines(keepends=True)


def test_each_line_has_its_number_and_the_hash_of_the_line_before(tmp_path: Path) -> None:
    written = three(tmp_path / "wire.jsonl")
    told = lines(tmp_path / "wire.jsonl")
    assert [line["n"] for line in told] == [0, 1, 2, 3, 4]
    assert [line["prev"] for line in told] == ["", *(sha256(line).hexdigest() for line in written[:-1])]
    assert told[0] | {"prev": ""} == {"n": 0, "prev": "", "wire": 1, "product": "a test"}
    assert told[-1]["closed_us"] == 1_000
    head = sha256(written[-1]).hexdigest()
    assert check_chain(tmp_path / "wire.jsonl") == Chain(exchanges=3, head=head, closed=True)


@pytest.mark.parametrize(
    "what",
    [
        WHAT.replace('"/"', "7"),
        WHAT.replace('"path"', '"where"'),
        WHAT.replace('"ids":{}', '"ids":{"esiid":[]}'),
        WHAT.replace("200", '"OK"'),
        WHAT.replace('{"status":200}', "null"),
        READ,
    ],
)
def test_what_somebody_chained_who_is_no_tap_is_refused_by_its_line(tmp_path: Path, what: str) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    log.note(MARKET, log.begin(), WHAT)
    log.note(MARKET, log.begin(), what)
    log.close()
    with pytest.raises(SimulatorError, match=r"Line 2 is no exchange") as told:
        list(exchanges(tmp_path / "wire.jsonl"))
    assert told.value.code == "wire.unreadable"


def test_a_line_that_begins_otherwise_is_of_its_own_wire_and_instant(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    log.note(MARKET, log.begin(), WHAT)
    begins = '"wire":"modbus","at_us":2000,"took_us":0,"from":"TDSP","to":"meters"'
    log._write([f"{begins},{READ}"])
    log.close()
    index, until = Index(tmp_path / "wire.jsonl"), micros(10_000)
    assert [one.n for one in index.exchanges(("market",), micros(0), until)] == [1]
    assert [one.n for one in index.exchanges(("modbus",), micros(0), until)] == [2]
    assert [one.n for one in index.exchanges((), micros(0), micros(2000))] == [1]


def test_half_of_a_surrogate_pair_is_read_as_it_was_written(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    log.note(MARKET, log.begin(), WHAT.replace("/", r"/\ud800"))
    log.close()
    (one,) = exchanges(tmp_path / "wire.jsonl")
    assert one.ask["path"] == "/\ud800"


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda one: [*one[:2], one[2].replace(b"200", b"500"), *one[3:]], "Line 2 was altered."),
        (lambda one: [one[0].replace(b"test", b"text"), *one[1:]], "Line 0 was altered."),
        (lambda one: [*one[:2], one[2].replace(one[2][15:20], b"00000"), *one[3:]], "Line 2 was altered."),
        (lambda one: [*one[:2], *one[3:]], "Line 2 is not where it was: line 3 stands there."),
        (lambda one: [one[0], one[2], one[1], *one[3:]], "Line 1 is not where it was: line 2 stands there."),
        (lambda one: [*one[:3], one[2], *one[3:]], "Line 3 is not where it was: line 2 stands there."),
        (lambda one: [*one[:3], one[3][:40]], "Line 3 was cut short."),
        (lambda one: [*one[:3], b"{}\n"], "Line 3 was altered."),
        (lambda one: [*one, one[-1]], "Line 5 was added behind the last one."),
    ],
)
def test_the_first_line_that_was_cut_reordered_or_altered_is_named(tmp_path: Path, spoil, fault) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "wire.jsonl"
    path.write_bytes(b"".join(spoil(three(path))))
    found = check_chain(path)
    assert (found.fault, found.closed) == (fault, False)


def test_a_file_that_ends_early_is_whole_and_not_closed(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    path.write_bytes(b"".join(three(path)[:3]))
    found = check_chain(path)
    assert (found.exchanges, found.closed, found.fault) == (2, False, "")


def test_a_line_stands_in_the_file_as_soon_as_its_exchange_has_ended(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    log.note(MARKET, log.begin(), WHAT)
    assert len(lines(tmp_path / "wire.jsonl")) == 2
    log.close()


def test_the_lines_of_an_instant_have_one_order_whatever_ended_first(tmp_path: Path) -> None:
    orders = []
    for streams in ("ab", "ba"):
        clock = Clock()
        log = log_at(tmp_path / streams, clock, ordered=True)
        log.note(MODBUS, log.begin(), READ, streams[0])
        log.note(MARKET, log.begin(), WHAT)
        log.note(MODBUS, log.begin(), READ.replace("0200", "0201"), streams[1])
        assert len(lines(tmp_path / streams)) == 1
        clock.now += 5
        log.note(MARKET, log.begin(), WHAT)
        assert len(lines(tmp_path / streams)) == 4
        log.close()
        orders.append([(one.wire, one.at_us) for one in exchanges(tmp_path / streams)])
    assert orders[0] == orders[1] == [("market", 1000), ("modbus", 1000), ("modbus", 1000), ("market", 1005)]


def test_an_instant_with_more_than_is_held_is_written_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap, "MOST_HELD", 2)
    log = log_at(tmp_path / "wire.jsonl", ordered=True)
    for _ in range(3):
        log.note(MARKET, log.begin(), WHAT)
    assert len(lines(tmp_path / "wire.jsonl")) == 3
    log.close()


def test_threads_do_not_break_the_chain(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")

    def note() -> None:
        for _ in range(100):
            log.note(MARKET, log.begin(), WHAT)

    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    found = check_chain(tmp_path / "wire.jsonl")
    assert (found.exchanges, found.fault) == (400, "")


def test_an_earlier_file_is_replaced_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    three(path)
    log_at(path).close()
    assert check_chain(path).exchanges == 0
    (tmp_path / "mine.txt").write_text("a letter", encoding="utf-8")
    with pytest.raises(SimulatorError, match=r"wire\.not_ours"):
        log_at(tmp_path / "mine.txt")
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "a letter"


def test_a_file_that_cannot_be_written_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SimulatorError, match=r"wire\.unwritable"):
        log_at(tmp_path / "nowhere" / "wire.jsonl")
    log = log_at(tmp_path / "wire.jsonl")

    def full(_file: int, _octets: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        # What it writes of goes on.
        log.note(MARKET, log.begin(), WHAT)
    log.note(MARKET, log.begin(), WHAT)
    with pytest.raises(SimulatorError, match="No space left"):
        log.close()
    assert len(lines(tmp_path / "wire.jsonl")) == 1


def test_what_comes_when_it_is_closed_is_written_nowhere(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    log.close()
    with (tmp_path / "other").open("wb"):
        log.note(MARKET, log.begin(), WHAT)
    assert (tmp_path / "other").read_bytes() == b""
    assert check_chain(tmp_path / "wire.jsonl").closed


@pytest.mark.parametrize("content", ["", "a letter\n", '{"n":0,"prev":""}\n'])
def test_what_is_no_file_of_exchanges_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "wire.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SimulatorError, match=r"wire\.unreadable"):
        check_chain(path)
    with pytest.raises(SimulatorError, match=r"wire\.unreadable"):
        check_chain(tmp_path / "none")


def test_a_line_that_is_no_exchange_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    head = three(path)[0]
    path.write_bytes(head + b'{"ask":1}\n')
    with pytest.raises(SimulatorError, match="Line 1 is no exchange"):
        list(exchanges(path))
