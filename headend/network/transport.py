"""Reads meters over Modbus TCP: one connection per gateway kept open, one exchange at a time on it, no retries of its own.

Retrying is the process's decision. Whatever keeps a meter from answering is one exception, ``NoAnswer``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import numpy as np
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException

from headend.ports import HeadEndError, IntArray, MeterAddress, MeterReading, PowerReading, RegisterSnapshot
from meters.calendar import INTERVAL_S, Seconds, floor_interval
from meters.errors import MeterError
from meters.register_map import layout as wire
from meters.register_map.decode import Header, Snapshot, decode_header, decode_ring, decode_snapshots, decode_voltage
from meters.status import Condition, has_value, status_word
from meters.wire.faults import HEAD

# The library tells a console about every silent meter; here those are exceptions that a process handles.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

#: A read request: function code, address, count. A response: function code, octet count, registers.
_REQUEST_OCTETS, _RESPONSE_OCTETS = 5, 2
#: Octets that follow the length of an exception reply: unit id, function code, exception code.
_EXCEPTION_LENGTH = 3
_SLOTS_A_READ = wire.MAX_READ // wire.SLOT_WORDS
_SNAPSHOTS_A_READ = wire.MAX_READ // wire.SNAPSHOT_WORDS
_MAX_WH = np.iinfo(np.int32).max

#: Told of a request to a meter as it begins; gives what is told how it went: PDUs asked and answered, and what kept the meter from answering.
Seen = Callable[[MeterAddress], Callable[[bytes, bytes, str], None]]


def _unseen(_address: MeterAddress) -> Callable[[bytes, bytes, str], None]:
    return lambda _asked, _replied, _trouble: None


class NoAnswer(Exception):  # noqa: N818 - it says what happened, and is no programming error
    """The meter did not answer: silent behind its gateway, timed out, connection refused or lost."""


class WrongMeter(NoAnswer):
    """Another meter answered than the head-end's records say is there: nothing it said was taken but its ``number``."""

    def __init__(self, said: str, number: str) -> None:
        """said: for people."""
        super().__init__(said, number)
        self.number = number

    def __str__(self) -> str:
        """What is said."""
        return str(self.args[0])


class ModbusTransport:
    """The live meter port. Use it inside one event loop; any number of coroutines may call it at once."""

    def __init__(self, timeout: float = 3.0, seen: Seen | None = None) -> None:
        """timeout: wall seconds to wait for a connection and for each response. seen: told of each request."""
        self._timeout = timeout
        self._seen = seen or _unseen
        self._lines: dict[tuple[str, int], _Line] = {}

    async def read_window(self, address: MeterAddress, start: Seconds, end: Seconds) -> MeterReading:
        """The complete intervals of [start, end), as far as the meter's clock has come, and what it shows now.

        Intervals that its ring no longer holds come back as not present (status stopped). Raises NoAnswer, WrongMeter;
        HeadEndError for a window that is not of whole intervals.
        """
        if start % INTERVAL_S or end % INTERVAL_S or start > end:
            raise HeadEndError("headend.window.unaligned", f"[{start}, {end}) is not a span of whole intervals.")
        async with self._exchange(address) as exchange:
            header = await exchange.header()
            reached = floor_interval(header.clock)
            end = max(min(end, reached), start)
            oldest = min(max(reached - wire.SAFE_SLOTS * INTERVAL_S, start), end)
            lost = (oldest - start) // INTERVAL_S
            n = (end - start) // INTERVAL_S
            delivered, received = np.zeros(n, np.int32), np.zeros(n, np.int32)
            status = np.full(n, status_word(0, Condition.STOPPED), np.uint16)
            at = lost
            while at < n:
                slot = wire.ring_slot(start + at * INTERVAL_S)
                run = min(_SLOTS_A_READ, n - at, wire.RING_SLOTS - slot)
                registers = await exchange.read(wire.ring_address(slot), run * wire.SLOT_WORDS)
                delivered[at : at + run], received[at : at + run], status[at : at + run] = decode_ring(registers)
                at += run
        present = has_value(status)
        return MeterReading(
            esiid=address.esiid,
            meter_number=header.meter_number,
            start=start,
            delivered=_energy(delivered * present, address.multiplier),
            received=_energy(received * present, address.multiplier),
            status=status,
            present=present,
            meter_time=header.clock,
            partial_wh=header.partial_delivered * address.multiplier,
            register_wh=header.delivered_register * address.multiplier,
            octets=exchange.octets,
            multiplier=header.multiplier,
            interval_s=header.interval_s,
            dials=header.dials,
        )

    async def read_midnights(self, address: MeterAddress, day_starts: Sequence[Seconds]) -> list[RegisterSnapshot]:
        """The registers at those local midnights (UTC epoch seconds), in their order.

        Midnights to come and those older than the meter keeps are left out. Raises NoAnswer, WrongMeter.
        """
        found: dict[Seconds, Snapshot] = {}
        async with self._exchange(address) as exchange:
            header = await exchange.header()
            for first, count in _runs(sorted({wire.snapshot_slot(midnight) for midnight in day_starts})):
                registers = await exchange.read(wire.snapshot_address(first), count * wire.SNAPSHOT_WORDS)
                found.update((snapshot.midnight, snapshot) for snapshot in decode_snapshots(registers))
        multiplier = address.multiplier
        return [
            RegisterSnapshot(
                address.esiid,
                header.meter_number,
                midnight,
                found[midnight].delivered * multiplier,
                found[midnight].received * multiplier,
            )
            for midnight in day_starts
            if midnight in found
        ]

    async def read_power(self, address: MeterAddress) -> PowerReading:
        """Whether the meter is there, its voltage and its switch. Raises NoAnswer, WrongMeter."""
        async with self._exchange(address) as exchange:
            header = await exchange.header()
            registers = await exchange.read(wire.PPV, wire.V_SF - wire.PPV + 1)
        said = header.multiplier, header.interval_s, header.dials
        return PowerReading(address.esiid, header.clock, decode_voltage(registers), header.switch_closed, *said)

    async def close(self) -> None:
        """Close every connection; a later call opens them again."""
        lines, self._lines = self._lines, {}
        for line in lines.values():
            line.drop()
        # Transports close at the loop's next turn.
        await asyncio.sleep(0)

    @asynccontextmanager
    async def _exchange(self, address: MeterAddress) -> AsyncIterator[_Exchange]:
        key = (address.host, address.port)
        if key not in self._lines:
            self._lines[key] = _Line(address.host, address.port, self._timeout)
        line = self._lines[key]
        async with line.lock:
            try:
                await line.open()
                yield _Exchange(line, address, self._seen)
            except MeterError as error:
                raise NoAnswer(f"meter {address.meter_number} answers in another register map: {error}") from None


class _Line:
    """A connection to one gateway. Whoever holds the lock has it to himself."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self.lock = asyncio.Lock()
        self._name = f"{host}:{port}"
        self._client = AsyncModbusTcpClient(
            host,
            port=port,
            timeout=timeout,
            retries=0,
            reconnect_delay=0,
            trace_connect=self._connection_changed,
            trace_packet=self._packet_seen,
        )
        self._waiting = False
        #: Registers that are waited for.
        self._count = 0
        #: The PDUs of the last request, as they went by.
        self.asked, self.replied = b"", b""

    async def open(self) -> None:
        """Connect, unless connected. Raises NoAnswer."""
        if not self._client.connected and not await self._client.connect():
            raise NoAnswer(f"gateway {self._name} cannot be connected to")

    def drop(self) -> None:
        """Close the connection."""
        self._client.close()

    async def read(self, unit: int, address: int, count: int) -> Sequence[int]:
        """Holding registers of one unit. Raises NoAnswer."""
        self._waiting, self._count = True, count
        self.asked = self.replied = b""
        try:
            response = await self._client.read_holding_registers(address, count=count, device_id=unit)
        except ModbusException as error:
            # After a time-out the answer may still come: on a new connection it cannot be taken for a later one's.
            self.drop()
            raise NoAnswer(f"unit {unit} of gateway {self._name}: {error}") from None
        except asyncio.CancelledError:
            self.drop()
            raise
        finally:
            self._waiting = False
        if response.isError():
            code = response.exception_code
            said = "is silent" if code == ExcCodes.GATEWAY_NO_RESPONSE else f"answers with exception {code:#04x}"
            raise NoAnswer(f"unit {unit} of gateway {self._name} {said}")
        if len(response.registers) != count:
            self.drop()
            raise NoAnswer(f"unit {unit} of gateway {self._name} gave {len(response.registers)} of {count} registers")
        return response.registers

    def _connection_changed(self, connected: bool) -> None:
        # The library would let the caller wait for the time-out, though no response can come any more.
        if not connected:
            self._give_up(ConnectionException("connection lost"))

    def _packet_seen(self, sending: bool, packet: bytes) -> bytes:
        """Look at the head of what comes; the library would pass over a wrong one, and wait for a right one that never comes."""
        if sending:
            self.asked = packet[HEAD.size :]
        if sending or len(packet) < HEAD.size:
            return packet
        self.replied = packet[HEAD.size :]
        transaction, protocol, length, unit = HEAD.unpack_from(packet)
        request = self._client.ctx
        wrong = [
            name
            for name, fits in (
                ("transaction id", transaction == request.request_transaction_id),
                ("protocol id", protocol == 0),
                ("length", length in (_EXCEPTION_LENGTH, 1 + _RESPONSE_OCTETS + 2 * self._count)),
                ("unit id", unit == request.request_dev_id),
            )
            if not fits
        ]
        if not wrong:
            return packet
        self._give_up(ModbusIOException(f"the reply has another {' and '.join(wrong)} than the request"))
        return b""

    def _give_up(self, error: ModbusException) -> None:
        pending = self._client.ctx.response_future if self._waiting else None
        if pending is not None and not pending.done():
            pending.set_exception(error)


class _Exchange:
    """The reads of one call to one meter, and the octets they cost."""

    def __init__(self, line: _Line, address: MeterAddress, seen: Seen) -> None:
        self._line = line
        self._address = address
        self._seen = seen
        self.octets = 0

    async def read(self, address: int, count: int) -> Sequence[int]:
        line, ended, trouble = self._line, self._seen(self._address), ""
        try:
            registers = await line.read(self._address.unit_id, address, count)
        except NoAnswer as silent:
            trouble = str(silent)
            raise
        finally:
            ended(line.asked, line.replied, trouble)
        self.octets += _REQUEST_OCTETS + _RESPONSE_OCTETS + 2 * count
        return registers

    async def header(self) -> Header:
        """The vendor header, checked to be the meter's that the records name. Raises WrongMeter."""
        header = decode_header(await self.read(wire.HEADER, wire.HEADER_COUNT))
        expected = self._address.number_at(header.clock)
        if header.meter_number != expected:
            raise WrongMeter(
                f"meter {header.meter_number} answers as unit {self._address.unit_id} of"
                f" {self._address.host}:{self._address.port}, where {expected} should be",
                header.meter_number,
            )
        return header


def _energy(raw: IntArray, multiplier: int) -> IntArray:
    """(n,) Wh from raw values."""
    if multiplier == 1:
        return np.maximum(raw, -_MAX_WH)
    return np.clip(raw.astype(np.int64) * multiplier, -_MAX_WH, _MAX_WH).astype(np.int32)


def _runs(slots: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending snapshot slots as (first, count) of reads that each fit one request."""
    runs: list[tuple[int, int]] = []
    for slot in slots:
        if runs and slot == sum(runs[-1]) and runs[-1][1] < _SNAPSHOTS_A_READ:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((slot, 1))
    return runs
