"""``ami meters serve`` as a process: its ready line, a read, events to a head-end, the ledger, and what goes wrong in one line."""

from __future__ import annotations

import json
import queue
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from meters.calendar import epoch
from meters.device.special import SPECIALS
from meters.register_map.decode import decode_header
from meters.register_map.layout import HEADER, HEADER_COUNT
from simulator.parties.keys_file import kept_keys
from tests.simulator.processes import fails, fails_here, patience, serving

SERVE = ("meters", "serve", "--port", "0")


@pytest.mark.process
def test_ready_line_names_every_meter_and_each_answers_as_the_one_named(tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults:\n  - {kind: gap, meter: 3, first: 2026-08-12T08:00, until: 2026-08-12T09:00}\n")
    options = ("--count", "300", "--tdsp", "centerpoint", "--date", "2026-08-12", "--faults", str(faults))
    begun = time.monotonic()
    with serving(*SERVE, "--json", *options, "--ledger", str(tmp_path / "ledger"), fresh=True) as (process, ready):
        assert ready["event"] == "ready"
        # However long a busy machine takes to get there.
        assert 0 <= epoch(ready["clock"]["now"]) - epoch("2026-08-12T12:00-05:00") <= time.monotonic() - begun
        assert [len(gateway["meters"]) for gateway in ready["gateways"]] == [247, 53, len(SPECIALS) + 2]
        assert len(ready["esiids"]) == len(SPECIALS) + 2
        for gateway, row in ((ready["gateways"][1], 52), (ready["gateways"][2], 27)):
            meter = gateway["meters"][row]
            with ModbusTcpClient(gateway["host"], port=gateway["port"]) as client:
                said = client.read_holding_registers(HEADER, count=HEADER_COUNT, device_id=meter["unit_id"])
            header = decode_header(said.registers)
            assert (header.esiid, header.meter_number) == (meter["esiid"], meter["meter_number"])
            assert len(header.esiid) == 22
        ledger = json.loads((tmp_path / "ledger" / "faults.json").read_text())
        (gap,) = [entry for entry in ledger if entry["kind"] == "gap" and entry["first_end_local"].startswith("2026-08-12T08:15")]  # fmt: skip
        assert gap["esiid"] == ready["gateways"][0]["meters"][2]["esiid"]
        assert (tmp_path / "ledger" / "faults.parquet").exists()
        assert "out.in_use" in fails(*SERVE, "--ledger", str(tmp_path / "ledger"))
        process.send_signal(signal.SIGINT)
        assert process.wait(patience()) == 0


@pytest.mark.process
def test_same_seed_serves_the_same_meters_and_no_special_leaves_the_magic_ones_out() -> None:
    served = []
    for seed in ("7", "7", "8"):
        with serving(*SERVE, "--json", "--count", "3", "--no-special", "--seed", seed) as (_, ready):
            served.append([meter["esiid"] for one in ready["gateways"] for meter in one["meters"]])
    assert served[0] == served[1] != served[2]
    assert len(served[0]) == 3


@pytest.mark.process
def test_replayed_load_is_the_first_meters(tmp_path: Path) -> None:
    profile = tmp_path / "profile.csv"
    rows = [f"2026-08-11T{quarter // 4:02}:{quarter % 4 * 15:02},1234" for quarter in range(96)]
    profile.write_text("\n".join(["start,wh", *rows]) + "\n")
    with serving(
        *SERVE, "--json", "--count", "2", "--no-special", "--replay", str(profile), "--date", "2026-08-12"
    ) as (_, ready):
        port = ready["gateways"][0]["port"]
        with ModbusTcpClient("127.0.0.1", port=port) as client:
            first, second = (
                decode_header(client.read_holding_registers(HEADER, count=HEADER_COUNT, device_id=unit).registers)
                for unit in (1, 2)
            )
    assert first.partial_delivered == 1234 * first.partial_seconds // 900
    assert second.esiid != first.esiid


@pytest.mark.process
def test_events_are_sent_to_a_head_end_by_outages_and_by_writes(tmp_path: Path) -> None:
    received: queue.Queue[dict[str, Any]] = queue.Queue()
    keys = tmp_path / "keys.json"
    bearers = set()

    class HeadEnd(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            bearers.add(self.headers["authorization"])
            for event in body["events"]:
                received.put(event)
            reply = json.dumps({"accepted": len(body["events"]), "unknown": 0}).encode()
            self.send_response(202)
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            pass

    def wait_for(kind: str, number: str) -> dict[str, Any]:
        while True:
            event = received.get(timeout=patience())
            if (event["kind"], event["meterNumber"]) == (kind, number):
                return event

    with ThreadingHTTPServer(("127.0.0.1", 0), HeadEnd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/events"
        options = ("--count", "1", "--date", "2026-08-12T12:00", "--clock", "scaled", "--speed", "600")
        with serving(*SERVE, "--json", *options, "--events-to", url, "--keys", str(keys)) as (_, ready):
            assert ready["keys_file"] == str(keys)
            gasp = wait_for("last_gasp", "600000012")
            assert gasp["at"] == "2026-08-12T12:05:00-05:00"
            meter = ready["gateways"][0]["meters"][0]
            with ModbusTcpClient("127.0.0.1", port=ready["gateways"][0]["port"]) as client:
                assert not client.write_registers(40209, [0], device_id=1).isError()
            wait_for("disconnected", meter["meter_number"])
        server.shutdown()
    assert bearers == {f"Bearer {kept_keys(keys).meters}"}


@pytest.mark.process
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--tdsp", "TXU"), "meters.tdsp.unknown: There is no TDSP 'TXU'"),
        (("--mix", "farms"), "meters.mix: --mix"),
        (("--clock", "manual"), "clock.mode: --clock"),
        (("--speed", "-1", "--clock", "scaled"), "clock.speed"),
        (("--date", "yesterday"), "clock.date: --date"),
        (("--faults", "/nowhere.yaml"), "faults.unreadable: /nowhere.yaml"),
        (("--replay", "/nowhere.csv"), "/nowhere.csv"),
        (("--events-to", "headend"), "meters.events_to: --events-to"),
        (("--events-to", "http://127.0.0.1:99999/events"), "meters.events_to: --events-to"),
        (("--host", ""), "meters.host: --host"),
        (("--ledger", "/dev/null/x"), "Name another with --ledger"),
        (("--state", "/dev/null/x"), "meters.state.unusable"),
        (("--speed", "5"), "clock.speed: --speed"),
        (("--port", "65530", "--count", "2000"), "meters.ports"),
        (("--date", "2150-01-01"), "2150"),
        (("--date", "2019-12-31"), "2019"),
        (("--host", "192.0.2.1"), "192.0.2.1"),
    ],
)
def test_bad_option_is_one_line_with_code_and_place(options: tuple[str, ...], told: str) -> None:
    said = fails_here(*SERVE, "--count", "2", *options)
    assert told in said
    assert "\n" not in said


@pytest.mark.process
def test_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"Port {port}" in fails(*SERVE, "--count", "2", "--port", port)
