"""A gateway: one Modbus TCP server that answers for up to 247 meters, each register computed when somebody asks for it.

pymodbus does the protocol; its data store is replaced by ours, which costs no memory and can say what a gateway says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Literal

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from meters.errors import MeterError
from meters.meter import EmulatedMeter
from meters.register_map import MAX_READ, encode

#: Unit ids that Modbus leaves to devices.
MAX_UNITS = 247
#: Read holding registers, read input registers: the map is the same in both.
_READS = (3, 4)

# The library tells a console about every refused request and lost client; here those are a meter's ordinary answers.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

Silence = Literal["exception", "hang"]


class Gateway:
    """Serves meters by unit id. Start it inside the event loop that is to run it."""

    def __init__(
        self,
        meters: Mapping[int, EmulatedMeter],
        clock: Callable[[], int],
        host: str = "127.0.0.1",
        port: int = 0,
        silence: Silence = "exception",
    ) -> None:
        """meters: by unit id, 1 to 247. clock: UTC epoch seconds, the meters' own. port: 0 takes a free one.

        silence: a dead meter gets exception 0x0B at once, or no answer at all. Raises MeterError for other unit ids.
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
        self._store = _MeterStore(self.meters, clock, silence)
        self._server: ModbusTcpServer | None = None

    @property
    def port(self) -> int:
        """The port it listens on; before the start, the one it was told."""
        listening = self._server.transport if self._server else None
        if not isinstance(listening, asyncio.Server):
            return self._asked_port
        return int(listening.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen. Raises MeterError naming the port if it is taken."""
        # A server wants a device to begin with; ``ignore_missing_devices`` is what makes a hanging meter hang (see the store).
        placeholder = SimDevice(1, simdata=[SimData(0, values=0, datatype=DataType.REGISTERS)])
        server = ModbusTcpServer(placeholder, address=(self.host, self._asked_port), ignore_missing_devices=True)
        server.context = self._store  # type: ignore[assignment]
        try:
            await server.serve_forever(background=True)
        except RuntimeError:
            raise MeterError(
                "meters.gateway.port_taken",
                f"Port {self._asked_port} on {self.host} cannot be listened on: it is taken, or not ours to take.",
                place=f"gateway {self.host}:{self._asked_port}",
                mend="Stop the program that has it, or give another port.",
            ) from None
        self._server = server

    async def stop(self) -> None:
        """Close the port and every connection. A stopped gateway can be started again."""
        if self._server is None:
            return
        server, self._server = self._server, None
        await server.shutdown()  # type: ignore[no-untyped-call]
        # Transports close at the loop's next turn: let it come, so that nothing is left open behind us.
        await asyncio.sleep(0)


class _MeterStore:
    """What pymodbus asks for values. It must not await anything: the answer would go out under a later request's id."""

    def __init__(self, meters: Mapping[int, EmulatedMeter], clock: Callable[[], int], silence: Silence) -> None:
        self._meters = meters
        self._clock = clock
        self._silence = silence

    def device_ids(self) -> list[int]:
        """Every unit id."""
        return list(self._meters)

    async def async_getValues(  # noqa: N802 - the library's name
        self, device_id: int, func_code: int, address: int, count: int = 1
    ) -> list[int] | ExcCodes:
        """Registers of a meter, or the exception code that a gateway answers with."""
        meter = self._meters.get(device_id)
        if meter is None:
            return ExcCodes.GATEWAY_NO_RESPONSE
        now = self._clock()
        if not meter.answers(now):
            if self._silence == "hang":
                # The library ignores a request for a missing device, as it was told to.
                raise NoSuchIdException("silent")
            return ExcCodes.GATEWAY_NO_RESPONSE
        if func_code not in _READS:
            return ExcCodes.ILLEGAL_FUNCTION
        if count > MAX_READ:
            return ExcCodes.ILLEGAL_VALUE
        try:
            return encode(meter, now, address, count)
        except MeterError:
            return ExcCodes.ILLEGAL_ADDRESS

    async def async_setValues(self, *_: object) -> ExcCodes:  # noqa: N802 - the library's name
        """Refuse: nothing of a meter is written over this wire."""
        return ExcCodes.ILLEGAL_FUNCTION
