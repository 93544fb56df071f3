"""A split-phase meter behind a Modbus TCP gateway, written from docs/register-map.md alone.

    python -I meter.py [--host 127.0.0.1] [--port 0] [--unit 1] [--esiid E] [--meter N] [--clock URL] [--roof WH] [--began WH]
        [--fault ID|ID/near] [--faults FILE]

It shows SunSpec models 1 and 202 and the vendor model 64209. Its time is that of URL's GET /control/clock (SMT's or a head-end's, asked at each request),
without it the wall's. What it uses is a closed form, so whoever reads it can know it: in the quarter hour that begins at epoch second 900 k it counts
100 + (13 k + 7 x the last four digits of the ESI ID) mod 400 Wh, evenly within it; the register began with --began at k0 = 1,928,568 (1 January 2025), and has
six dials. A --roof gives so many Wh back in each.

Standard output has a line of JSON when it listens, and one for each register that was written. A fault is a row of meter_faults.json: ``be`` is what it
is instead of HONEST; ``do`` holds steps on the registers that it would tell: ["set", address, value], ["plus", address, value].
"""

import argparse
import json
import socket
import socketserver
import struct
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

CENTRAL, QUARTER_S, K0 = ZoneInfo("America/Chicago"), 900, 1_928_568
RING, MIDNIGHTS, FIRST, LAST = 40629, 40229, 40000, 57910
SLOTS, MIDS = 3456, 40
SKIPPED, DIAL_WH = 4, 10**9
Json = dict[str, Any]
#: ahead_s: of the clock; every: what befalls each so manieth quarter hour; hole, zero, negative, high, stuck: in those; swapped: channels change places;
#: register_wh: more in the register for each quarter hour; shift: slots that the ring is turned by; midnight_h: hours that midnights are late; by_wall: times
#: are local without an offset; transaction, unit, length: more in the head of a reply; fewer registers; silent, refuses (code): which functions; obeys: what is written;
#: codes: exceptions in place of the documented; falls: less in the register of every other midnight; input: registers by which function 4 is off; bits: of
#: each status word; wavers: more in the ring in every other quarter hour; marks, saving: told in the ring; drops: what was sent ahead; most_s: a clock is set by.
HONEST: Json = dict.fromkeys(
    ("ahead_s", "register_wh", "shift", "midnight_h", "transaction", "unit", "length", "fewer"), 0
)
HONEST |= dict.fromkeys(("late_s", "falls", "input", "bits", "wavers"), 0) | {"every": 40, "most_s": 3600}
HONEST |= dict.fromkeys(("hole", "zero", "negative", "high", "stuck", "swapped", "by_wall", "little"), False)
HONEST |= dict.fromkeys(("any_unit", "writes_all", "day_of_96", "unseen", "drops"), False)
HONEST |= dict.fromkeys(("obeys", "rolls", "marks", "saving"), True) | {"silent": [], "refuses": {}, "codes": {}}


@cache
def residue(start: int, count: int) -> int:
    """Wh above 100 in so many quarter hours from one on, by where that lies in the pattern of 400."""
    return sum((start + 13 * number) % 400 for number in range(count))


class Meter:
    """What it counts and shows."""

    def __init__(self, asked: argparse.Namespace, fault: Json) -> None:
        self.esiid, self.number, self.clock_url = asked.esiid, asked.meter, asked.clock
        self.be, self.do = HONEST | fault.get("be", {}), fault.get("do", [])
        self.set_s, self.closed, self.phase = 0, True, int(asked.esiid[-4:]) * 7
        self.roof, self.began, self.marks = int(asked.roof), int(asked.began), dict[int, int]()

    def now(self) -> float:
        """The true time, UTC epoch seconds."""
        if not self.clock_url:
            return time.time()
        with urllib.request.urlopen(f"{self.clock_url}/control/clock", timeout=10) as reply:
            return datetime.fromisoformat(json.load(reply)["now"]).timestamp()

    def clock(self, now: float) -> int:
        """What its own clock shows."""
        off = datetime.fromtimestamp(now, CENTRAL).utcoffset() if self.be["by_wall"] else None
        return int(now + self.be["ahead_s"] + (off or timedelta()).total_seconds()) + self.set_s

    def wh(self, k: int) -> int:
        return 100 + (13 * k + self.phase) % 400

    def counted(self, at: float) -> int:
        """What it has counted by then."""
        k = int(at) // QUARTER_S
        periods, rest = divmod(max(0, k - K0), 400)
        whole = periods * 119_800 + rest * 100 + residue((13 * K0 + self.phase) % 400, rest)
        within = self.wh(k) * (at - k * QUARTER_S) / QUARTER_S
        return self.began + whole + int(self.be["register_wh"] * (k - K0) + within)

    def register(self, at: float) -> tuple[int, int]:
        """Its registers then, delivered and received."""
        turn = DIAL_WH if self.be["rolls"] else 2**62
        return self.counted(at) % turn, int(self.roof * (at / QUARTER_S - K0)) % turn

    def interval(self, k: int, reached: int) -> tuple[int, int, int]:
        """Delivered, received and status of a quarter hour of its clock."""
        k -= self.be["shift"]
        if not reached - SLOTS <= k < reached:
            return 0, 0, 0x0770
        saving = self.be["saving"] and bool(datetime.fromtimestamp(k * QUARTER_S, CENTRAL).dst())
        status, befalls = 0x1000 * saving | self.be["bits"] | self.marks.get(k, 0), k % self.be["every"] == 0
        wh, back = self.wh(k) + self.be["wavers"] * (reached % 2), 0 if self.be["unseen"] else self.roof
        if befalls and self.be["hole"]:
            return 0, 0, status | SKIPPED << 8 | SKIPPED << 4
        wh = 0 if befalls and self.be["zero"] else -wh if befalls and self.be["negative"] else wh
        wh = wh + 20_000 if befalls and self.be["high"] else 250 if self.be["stuck"] else wh
        return (back, wh, status) if self.be["swapped"] else (wh, back, status)

    def midnight(self, ordinal: int) -> tuple[int, int, int]:
        """When a day began, and both registers then."""
        day = datetime.fromordinal(ordinal).replace(tzinfo=CENTRAL)
        at, before = int(day.timestamp()) + 3600 * self.be["midnight_h"], (day - timedelta(days=1)).timestamp()
        at = int(before) + 86400 if self.be["day_of_96"] else at
        delivered, received = self.register(at)
        return at, (delivered - self.be["falls"] * (ordinal % 2)) % DIAL_WH, received

    def registers(self, now: float) -> dict[int, int]:
        """All of them but ring and midnights, by address."""
        clock = self.clock(now)
        k, within = clock // QUARTER_S, clock % QUARTER_S
        part, back = self.wh(k) * within // QUARTER_S, self.roof * within // QUARTER_S
        shown: dict[int, int] = {}

        def put(address: int, form: str, value: Any) -> None:
            data = value.encode().ljust(int(form[:-1]), b"\0") if form[-1] == "s" else struct.pack(f">{form}", value)
            shown.update((address + n, word) for n, word in enumerate(struct.unpack(f">{len(data) // 2}H", data)))

        for address in range(40070, 40177):
            put(address, "H", 0x8000 if address < 40108 or address in (40124, 40141, 40174) else 0)
        watt, (total, returned) = (self.wh(k) - self.roof) * 4, self.register(now)
        amps, exported = round(abs(watt) / 1.2), int(self.roof * (now / QUARTER_S - K0))
        meter = {40070: 202, 40071: 105, 40072: amps, 40073: amps // 2, 40074: amps - amps // 2, 40075: 0, 40076: -2}
        meter |= dict.fromkeys((40077, 40078, 40079), 1200) | {40081: 2400, 40082: 2400, 40085: -1, 40086: 6000}
        for first, power in ((40088, watt), (40093, abs(watt))):
            meter |= {first: power, first + 1: power // 2, first + 2: power - power // 2, first + 4: 0}
        meter |= {40087: -2, 40098: 0, 40099: 0, 40100: 0, 40102: 0, 40103: 100, 40104: 100, 40105: 100, 40107: 0}
        for address, value in (meter | {40124: 0}).items():
            put(address, "h", value)
        texts = {40000: (4, "SunS"), 40004: (32, "stranger"), 40020: (32, "twin"), 40036: (16, ""), 40044: (16, "1")}
        texts |= {40052: (32, self.number), 40179: (24, self.esiid), 40191: (12, self.number), 40199: (16, "1")}
        for address, (length, text) in texts.items():
            put(address, f"{length}s", text)
        words = {40002: 1, 40003: 66, 40068: 0xFFFF, 40069: 0x8000, 40177: 64209, 40178: 17730, 40209: int(self.closed)}
        words |= {40210: QUARTER_S, 40215: within, 40216: 6, 40225: SLOTS, 40226: MIDS, 40227: 2, 40228: 2}
        for address, value in (words | {57909: 0xFFFF, 57910: 0}).items():
            put(address, "H", value)
        longs = {40108: exported % 2**32, 40116: self.counted(now) % 2**32, 40175: 0, 40197: 1, 40207: clock}
        for address, value in (longs | {40211: part, 40213: back}).items():
            put(address, "I", value)
        for address, value in {40217: total, 40221: returned}.items():
            put(address, "Q", value)
        return shown

    def told(self, first: int, count: int, now: float) -> bytes:
        """So many registers from one on, as they go over the wire."""
        shown, clock = self.registers(now), self.clock(now)
        reached, today = clock // QUARTER_S, datetime.fromtimestamp(now, CENTRAL).toordinal()
        words = []
        for address in range(first, first + count):
            if RING <= address < RING + 5 * SLOTS:
                slot, at = divmod(address - RING, 5)
                k = reached - 1 - (reached - 1 - slot) % SLOTS
                word = struct.unpack(">5H", struct.pack(">iiH", *self.interval(k, reached)))[at]
            elif MIDNIGHTS <= address < MIDNIGHTS + 10 * MIDS:
                slot, at = divmod(address - MIDNIGHTS, 10)
                word = struct.unpack(">10H", struct.pack(">IQQ", *self.midnight(today - (today - slot) % MIDS)))[at]
            else:
                word = shown[address]
            words.append(word)
        for do, address, value in self.do:
            if first <= address < first + count:
                at = address - first
                words[at] = (value if do == "set" else words[at] + value) % 65536
        return struct.pack(f"{'<' if self.be['little'] else '>'}{count}H", *words)

    def no(self, function: int, code: int) -> bytes:
        """An exception."""
        return bytes((function | 0x80, self.be["codes"].get(str(code), code)))

    def answer(self, request: bytes) -> bytes:
        """The PDU that answers one; an exception's has the high bit and its code."""
        function, body, now = request[0], request[1:], self.now()
        if function in (3, 4) and len(body) == 4:
            first, count = struct.unpack(">HH", body)
            if not 1 <= count <= 125:
                return self.no(function, 3)
            if first < FIRST or first + count - 1 > LAST:
                return self.no(function, 2)
            count -= self.be["fewer"]
            return bytes((function, 2 * count)) + self.told(first - self.be["input"] * (function == 4), count, now)
        if function in (6, 16):
            return self.written(function, body, now)
        if function == 43 and body[:1] == b"\x0e" and len(body) == 3:
            return self.identified(body)
        return self.no(function, 1)

    def written(self, function: int, body: bytes, now: float) -> bytes:
        """Clock or switch, as they are commanded."""
        address = int.from_bytes(body[:2], "big")
        if function == 6:
            words = list(struct.unpack(">H", body[2:4]))
        elif len(body) < 5 or len(body) - 5 != body[4] or body[4] != 2 * int.from_bytes(body[2:4], "big"):
            return bytes((function | 0x80, 3))
        else:
            words = list(struct.unpack(f">{body[4] // 2}H", body[5:]))
        clock, switch = (address, len(words)) == (40207, 2), (address, len(words)) == (40209, 1)
        if not (clock or switch):
            return bytes((function,)) + body[:4] if self.be["writes_all"] else self.no(function, 2)
        shown = self.clock(now)
        off = (words[0] << 16 | words[-1]) - shown
        if (clock and abs(off) > self.be["most_s"]) or (switch and words[0] > 1):
            return bytes((function | 0x80, 3))
        if self.be["obeys"]:
            self.set_s, self.closed = (self.set_s + off, self.closed) if clock else (self.set_s, bool(words[0]))
            touched = range(min(shown, shown + off) // QUARTER_S, -(-max(shown, shown + off) // QUARTER_S))
            for k in touched if clock and off and self.be["marks"] else ():
                self.marks[k] = self.marks.get(k, 0) | (0x4000 if off > 0 else 0x8000)
        say(event="written", address=address, words=words)
        return bytes((function,)) + body[:4]

    def identified(self, body: bytes) -> bytes:
        """Function 43: vendor, product and revision."""
        objects = {0: b"stranger", 1: b"twin", 2: b"1"}
        if body[1] not in (1, 2, 3, 4):
            return bytes((0xAB, 3))
        if body[1] == 4 and body[2] not in objects:
            return bytes((0xAB, 2))
        named = {body[2]: objects[body[2]]} if body[1] == 4 else objects
        listed = b"".join(bytes((ident, len(text))) + text for ident, text in named.items())
        return bytes((43, 14, body[1], 0x81, 0, 0, len(named))) + listed


def replies(meter: Meter, unit: int, head: bytes, request: bytes) -> Iterator[bytes]:
    """What goes out for a request, as far as anything does."""
    transaction, _, _, asked = struct.unpack(">HHHB", head)
    answer, be = bytes((request[0] | 0x80, 0x0B)), meter.be
    if asked == unit or be["any_unit"]:
        if request[0] in be["silent"]:
            return
        code = be["refuses"].get(str(request[0]))
        answer = meter.answer(request) if code is None else bytes((request[0] | 0x80, code))
    time.sleep(be["late_s"])
    length = len(answer) + 1 + be["length"]
    yield struct.pack(">HHHB", (transaction + be["transaction"]) % 65536, 0, length, asked + be["unit"]) + answer


class Gateway(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


def handler(meter: Meter, unit: int) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def take(self, count: int) -> bytes:
            return bytes(self.connection.recv(count, socket.MSG_WAITALL))

        def handle(self) -> None:
            while len(head := self.take(7)) == 7:
                length = int.from_bytes(head[4:6], "big") - 1
                request = self.take(length) if length > 0 else b""
                if length < 1 or len(request) < length:
                    return
                if meter.be["drops"]:
                    with suppress(BlockingIOError):
                        self.connection.recv(4096, socket.MSG_DONTWAIT)
                for reply in replies(meter, unit, head, request):
                    self.wfile.write(reply)

    return Handler


def say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until it is killed."""
    words = argparse.ArgumentParser(description="A meter of a stranger, behind a gateway.")
    for name, usual in (("host", "127.0.0.1"), ("esiid", "10443720000000017"), ("meter", "200000017"), ("clock", "")):
        words.add_argument(f"--{name}", default=usual)
    words.add_argument("--port", type=int, default=0, help="0: a free one")
    for name, whole in (("unit", 1), ("roof", 0), ("began", 0)):
        words.add_argument(f"--{name}", type=int, default=whole)
    words.add_argument("--fault", "--mutant", default="", help="ID or ID/near of --faults")
    words.add_argument("--faults", type=Path, default=Path(__file__).with_name("meter_faults.json"))
    asked = words.parse_args()
    faults = json.loads(asked.faults.read_text("utf-8"))
    ident, _, which = asked.fault.partition("/")
    if asked.fault and (which or "fault") not in faults.get(ident, {}):
        words.error(f"there is no {asked.fault}: write ID or ID/near, ID one of {', '.join(faults)}")
    meter = Meter(asked, faults[ident][which or "fault"] if ident else {})
    with Gateway((asked.host, asked.port), handler(meter, asked.unit)) as server:
        say(event="ready", host=asked.host, port=server.server_address[1], unit=asked.unit)
        server.serve_forever()


if __name__ == "__main__":
    main()
