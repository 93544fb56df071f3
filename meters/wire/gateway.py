"""A gateway: one Modbus TCP server that answers for up to 247 meters, each register computed when somebody asks for it.

pymodbus decodes requests and encodes replies; what is answered, how and when is decided here, without a wait in between. Its server is not imported:
it brings a web framework where one is installed.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest, ReadDeviceInformationResponse
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersResponse,
    ReadInputRegistersResponse,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterResponse,
)

from meters.calendar import Seconds
from meters.device.meter import EmulatedMeter
from meters.errors import MeterError
from meters.register_map.encode import encode, identification, write
from meters.shown import Wire, WriteResult
from meters.wire.faults import HEAD, NO_RESPONSE, spoiled, stand_in, unreached

#: Unit ids that Modbus leaves to devices.
MAX_UNITS = 247
#: Function codes: read holding registers and input registers (the map is the same in both), write one register or several, and device
#: identification (43 with the MEI type 14).
_READ_HOLDING, _READ_INPUT, _WRITE_ONE, _WRITE, _IDENTIFY = _FUNCTIONS = 3, 4, 6, 16, 43
#: Codes of an identification: streams of objects, of which a meter has the basic ones alone, and one object; and how it says that it has both.
_STREAMS, _ONE_OBJECT, _BASIC_AND_ONE = (1, 2, 3), 4, 0x81
#: Octets after a request's length field: unit id and function code at least; Modbus allows 254.
_LEAST_OCTETS, _MOST_OCTETS = 2, 254

#: Replies that a connection's slow meters may owe at once; whoever asks for more is told that the gateway is busy. Default.
_MOST_LATE = 1000

#: Connections that wait to be accepted, and their clients with them. Default.
_WAITING = 100

#: Requests of one connection that are answered in one turn of the event loop: about two milliseconds. Default.
_A_TURN = 20

#: Wall seconds without a whole request after which a connection is closed. Default.
IDLE_S = 300.0
#: Descriptors that clients leave to the rest of the process; wall seconds until a connection is accepted after there was none left at all,
#: and between two lines that say so. Defaults.
KEPT_FREE, _AGAIN_S, _SAID_EVERY_S = 32, 0.1, 60.0

# The library tells a console about every refused request and lost client; here those are a meter's ordinary answers.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
_log = logging.getLogger(__name__)

_DECODER = DecodePDU(True)
_FRAMER = FramerSocket(_DECODER)

Silence = Literal["exception", "hang"]


#: Told of each request as it is answered: unit, and the PDUs asked and sent, none for a meter that is silent.
Seen = Callable[[int, bytes, bytes], None]


def _unseen(_unit: int, _asked: bytes, _sent: bytes) -> None:
    pass


class Gateway:
    """Serves meters by unit id. Start it inside the event loop that is to run it."""

    def __init__(
        self,
        meters: Mapping[int, EmulatedMeter],
        clock: Callable[[], Seconds],
        host: str = "127.0.0.1",
        port: int = 0,
        silence: Silence = "exception",
        on_write: Callable[[EmulatedMeter], None] | None = None,
        idle_s: float = IDLE_S,
        seen: Seen | None = None,
    ) -> None:
        """meters: by unit id, 1 to 247. clock: UTC epoch seconds, the true time. port: 0 takes a free one.

        silence: "hang", a meter that cannot be reached gives no answer at all, and a slow one takes its wall seconds;
        "exception", for a clock moved by hand: the one gets exception 0x0B (no path to it: 0x0A), and both at once.
        on_write: told a meter whose clock or switch a client has written. idle_s: wall seconds after which a silent client is left.
        seen: told of each request.
        Raises MeterError for other unit ids.
        """
        strays = [unit for unit in meters if not 1 <= unit <= MAX_UNITS]
        if strays:
            raise MeterError(
                "meters.gateway.units",
                f"Unit {strays[0]} is outside 1 to {MAX_UNITS}: a gateway has at most {MAX_UNITS} meters.",
                place=f"{host}:{port}",
                mend="Spread the meters over more gateways.",
            )
        self.meters = dict(meters)
        self.host = host
        self._asked_port = port
        self._units = _Units(self.meters, clock, silence, on_write)
        self._idle_s = idle_s
        self._seen = seen or _unseen
        self._listening: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._open: set[_Connection] = set()
        #: Clients turned away since that was last told, and when to tell it again, by the loop's clock.
        self._refused, self._told_until = 0, 0.0

    @property
    def port(self) -> int:
        """The port it listens on; before the start, the one it was told."""
        return int(self._listening[0].getsockname()[1]) if self._listening else self._asked_port

    async def start(self) -> None:
        """Listen. Raises MeterError naming the port if it is taken."""
        loop = asyncio.get_running_loop()
        try:
            # It binds alone: at the limit of descriptors its own way of accepting tells a hundred tracebacks at each try.
            bound = await loop.create_server(asyncio.Protocol, self.host, self._asked_port, start_serving=False)
            self._listening = [one.dup() for one in bound.sockets]
            bound.close()
            for listening in self._listening:
                listening.setblocking(False)
                listening.listen(_WAITING)
        except OSError:
            await self.stop()
            raise MeterError(
                "meters.gateway.port_taken",
                f"Port {self._asked_port} on {self.host} cannot be listened on: it is taken, or not ours to take.",
                place=f"gateway {self.host}:{self._asked_port}",
                mend="Stop the program that has it, or give another port.",
            ) from None
        self._accepting = [loop.create_task(self._accept(listening)) for listening in self._listening]

    async def stop(self) -> None:
        """Close the port and every connection; replies that are late never come. A stopped gateway can be started again."""
        for accepting in self._accepting:
            accepting.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for listening in self._listening:
            listening.close()
        self._accepting, self._listening = [], []
        for connection in list(self._open):
            connection.close()
        # Transports close at the loop's next turn: let it come, so that nothing is left open behind us.
        await asyncio.sleep(0)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                taken, _ = await loop.sock_accept(listening)
            except ConnectionAbortedError:
                continue
            except OSError:
                # Others in this process have the last descriptor: the client waits until there is one to refuse it with.
                self._tell_limit()
                await asyncio.sleep(_AGAIN_S)
                continue
            # The lowest free number is given: so many are taken.
            if taken.fileno() >= resource.getrlimit(resource.RLIMIT_NOFILE)[0] - KEPT_FREE:
                taken.close()
                self._refused += 1
                self._tell_limit()
                await asyncio.sleep(0)
                continue
            await loop.connect_accepted_socket(
                lambda: _Connection(self._units, self._open, self._idle_s, self._seen), taken
            )

    def _tell_limit(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._told_until:
            _log.warning(
                "gateway %s:%d is at the limit of descriptors: %d refused since it last told",
                self.host,
                self.port,
                self._refused,
            )
            self._refused, self._told_until = 0, now + _SAID_EVERY_S


@dataclass(frozen=True, slots=True)
class _Answer:
    """A reply and how it is sent."""

    pdu: ModbusPDU
    wire: Wire = Wire.ANSWER
    #: Wall seconds.
    delay_s: float = 0.0


class _Units:
    """The meters behind a gateway, as one who answers requests."""

    def __init__(
        self,
        meters: Mapping[int, EmulatedMeter],
        clock: Callable[[], Seconds],
        silence: Silence,
        on_write: Callable[[EmulatedMeter], None] | None,
    ) -> None:
        self._meters = meters
        self._clock = clock
        self._hangs = silence == "hang"
        self._on_write = on_write

    def answer(self, unit: int, function: int, request: ModbusPDU | None, busy: bool) -> _Answer | None:
        """The answer to a request, None when there is none.

        request: None if it is not what its function code wants. busy: no more replies can be late.
        """
        meter = self._meters.get(unit)
        if meter is None:
            return _Answer(ExceptionResponse(function, NO_RESPONSE))
        now = self._clock()
        reply = meter.reply(now)
        if self._hangs and unreached(reply.wire):
            return None
        delay_s = reply.delay_s if self._hangs else 0.0
        if delay_s and busy:
            return _Answer(ExceptionResponse(function, ExcCodes.DEVICE_BUSY))
        code = stand_in(reply.wire, reply.code)
        if code:
            return _Answer(ExceptionResponse(function, code), delay_s=delay_s)
        try:
            pdu = self._served(meter, now, function, request)
        except Exception:
            _log.exception("unit %d cannot be served", unit)
            pdu = ExceptionResponse(function, ExcCodes.DEVICE_FAILURE)
        return _Answer(pdu, reply.wire, delay_s)

    def _served(self, meter: EmulatedMeter, now: Seconds, function: int, request: ModbusPDU | None) -> ModbusPDU:
        if function not in _FUNCTIONS:
            return ExceptionResponse(function, ExcCodes.ILLEGAL_FUNCTION)
        if request is None:
            return ExceptionResponse(function, ExcCodes.ILLEGAL_VALUE)
        if function == _IDENTIFY:
            return self._identified(identification(meter, now), request)
        try:
            if function in (_READ_HOLDING, _READ_INPUT):
                registers = encode(meter, now, request.address, request.count)
                holding = function == _READ_HOLDING
                return (ReadHoldingRegistersResponse if holding else ReadInputRegistersResponse)(registers=registers)
            before = meter.commands
            written = write(meter, now, request.address, request.registers)
            if written is not WriteResult.DONE:
                refused = written is WriteResult.REFUSED
                return ExceptionResponse(function, ExcCodes.ILLEGAL_VALUE if refused else ExcCodes.DEVICE_FAILURE)
            if self._on_write is not None and meter.commands != before:
                self._on_write(meter)
        except MeterError:
            return ExceptionResponse(function, ExcCodes.ILLEGAL_ADDRESS)
        if function == _WRITE_ONE:
            return WriteSingleRegisterResponse(address=request.address, registers=request.registers)
        return WriteMultipleRegistersResponse(address=request.address, count=request.count)

    @staticmethod
    def _identified(objects: dict[int, bytes], request: ModbusPDU) -> ModbusPDU:
        if not isinstance(request, ReadDeviceInformationRequest):
            return ExceptionResponse(_IDENTIFY, ExcCodes.ILLEGAL_FUNCTION)
        code, first = request.read_code, request.object_id
        if code == _ONE_OBJECT:
            if first not in objects:
                return ExceptionResponse(_IDENTIFY, ExcCodes.ILLEGAL_ADDRESS)
            objects = {first: objects[first]}
        elif code not in _STREAMS:
            return ExceptionResponse(_IDENTIFY, ExcCodes.ILLEGAL_VALUE)
        elif first in objects:
            # An object that there is none of begins the stream at the first.
            objects = {at: text for at, text in objects.items() if at >= first}
        answer = ReadDeviceInformationResponse(code, objects)
        answer.conformity = _BASIC_AND_ONE
        return answer


class _Connection(asyncio.Protocol):
    """One client's requests, each answered under its own transaction id, whatever came with it or after it.

    The library's own handler keeps one request at a time, and loses those that a client sends before it has an answer.
    """

    def __init__(self, units: _Units, others: set[_Connection], idle_s: float, seen: Seen) -> None:
        """others: of its gateway, which it joins while it is open. idle_s: wall seconds without a request after which it closes."""
        self._units = units
        self._others = others
        self._idle_s = idle_s
        self._seen = seen
        self._loop = asyncio.get_running_loop()
        self._asked_at = self._loop.time()
        self._look = self._loop.call_later(idle_s, self._leave)
        self._received = bytearray()
        self._held = False
        #: The next turn, while more requests wait than one turn takes.
        self._turn: asyncio.Handle | None = None
        self._late: set[asyncio.TimerHandle] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve a new client."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._others.add(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the replies that are late, and those that the client does not read."""
        self._others.discard(self)
        self._look.cancel()
        self._forget()

    def close(self) -> None:
        """Answer nothing more."""
        self._forget()
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Answer every whole request, so many a turn."""
        self._received += data
        if self._turn is None:
            self._serve()

    def pause_writing(self) -> None:
        """Take no more requests from a client that does not read its answers."""
        self._held = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on with its requests."""
        self._held = False
        if self._turn is None:
            self._serve()
        self._read_on()

    def _serve(self) -> None:
        """Take what is whole; close on what cannot be Modbus, as nobody knows where the next request would begin.

        A client that sends a thousand requests at once waits for its answers, and not the clients of every other gateway.
        """
        self._turn = None
        taken = 0
        while not self._held and len(self._received) >= HEAD.size:
            if taken == _A_TURN:
                self._turn = self._loop.call_soon(self._serve)
                self._transport.pause_reading()
                return
            taken += 1
            transaction, protocol, length, unit = HEAD.unpack_from(self._received)
            if protocol or not _LEAST_OCTETS <= length <= _MOST_OCTETS:
                self.close()
                return
            # The length counts the unit id, the last octet of the head.
            end = HEAD.size - 1 + length
            if len(self._received) < end:
                break
            pdu = bytes(self._received[HEAD.size : end])
            del self._received[:end]
            self._take(transaction, unit, pdu)
        self._read_on()

    def _leave(self) -> None:
        """Close if nothing was asked for so long and nothing is owed, else look again."""
        idle_s = 0.0 if self._late else self._loop.time() - self._asked_at
        if idle_s >= self._idle_s:
            self.close()
        else:
            self._look = self._loop.call_later(self._idle_s - idle_s, self._leave)

    def _read_on(self) -> None:
        """Take more from the client, unless it has to wait."""
        if not self._held and self._turn is None:
            self._transport.resume_reading()

    def _take(self, transaction: int, unit: int, pdu: bytes) -> None:
        answer = self._units.answer(unit, pdu[0], self._decoded(pdu), busy=len(self._late) >= _MOST_LATE)
        self._asked_at = self._loop.time()
        if answer is None:
            self._seen(unit, pdu, b"")
            return
        answer.pdu.transaction_id, answer.pdu.dev_id = transaction, unit
        frame = spoiled(_FRAMER.buildFrame(answer.pdu), answer.wire)
        self._seen(unit, pdu, frame[HEAD.size :])
        if not answer.delay_s:
            self._send(frame)
            return

        def send_late() -> None:
            self._late.discard(handle)
            self._send(frame)

        handle = self._loop.call_later(answer.delay_s, send_late)
        self._late.add(handle)

    def _forget(self) -> None:
        self._received.clear()
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        for handle in self._late:
            handle.cancel()
        self._late.clear()
        # It would stay open until what is written has been read.
        if self._transport.get_write_buffer_size():
            self._transport.abort()

    def _decoded(self, pdu: bytes) -> ModbusPDU | None:
        """The request, None if it is not what its function code wants (or if no meter has that function)."""
        request = _DECODER.decode(pdu) if pdu[0] in _FUNCTIONS else None
        if request is None:
            return None
        if isinstance(request, ReadDeviceInformationRequest):
            return request if len(pdu) == 4 else None
        if pdu[0] == _WRITE_ONE:
            return request if len(pdu) == 5 else None
        whole = pdu[0] != _WRITE or (len(pdu) == 6 + 2 * request.count and 0 < pdu[5] == 2 * request.count)
        return request if whole else None

    def _send(self, frame: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(frame)
