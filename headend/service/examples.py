"""Bodies on the wires of a head-end, as its own and SMT's OpenAPI documents show them."""

from __future__ import annotations

from typing import Any

_ESIID = "10443729924385485"
_ASKED: dict[str, Any] = {
    "correlationId": "482915007734",
    "esiid": _ESIID,
    "meterAllowed": True,
    "answerBy": "2026-08-12T18:25:00-05:00",
    "replyTo": "http://127.0.0.1:8600/callbacks/inquiries",
}
#: Bodies of ``POST /inquiries``.
INQUIRIES: dict[str, Any] = {
    "intervals": {
        "summary": "The gap of a balance inquiry",
        "value": _ASKED
        | {
            "kind": "INTERVALS",
            "start": "2026-08-12T00:00:00-05:00",
            "end": "2026-08-12T17:30:00-05:00",
            "callReference": "call-0001",
        },
    },
    "register": {"summary": "A register read", "value": _ASKED | {"correlationId": "482915007735", "kind": "REGISTER"}},
    "power": {"summary": "A power status", "value": _ASKED | {"correlationId": "482915007736", "kind": "POWER"}},
}

#: Two of the intervals that a gap is answered with.
INTERVALS: list[dict[str, Any]] = [
    {"end": "2026-08-12T16:00:00-05:00", "wh": 398, "source": "store", "collectedAt": "2026-08-12T16:00:34-05:00"},
    {"end": "2026-08-12T16:15:00-05:00", "wh": 412, "source": "meter", "collectedAt": "2026-08-12T17:40:20-05:00"},
]
PARTIAL: dict[str, Any] = {
    "from": "2026-08-12T17:30:00-05:00",
    "asOf": "2026-08-12T17:40:19-05:00",
    "seconds": 619,
    "wh": 343,
}
POWER: dict[str, Any] = {
    "status": "ON",
    "source": "reply",
    "switchState": "CLOSED",
    "voltage": 243.1,
    "at": "2026-08-12T17:40:15-05:00",
}
#: A meter that did not answer, and whose last gasp came before.
POWER_OFF: dict[str, Any] = {
    "status": "OFF",
    "source": "event",
    "switchState": "UNKNOWN",
    "at": "2026-08-12T16:02:11-05:00",
}
#: Bodies of ``POST /callbacks/inquiries``. The lists of intervals are shortened.
RESULTS: dict[str, Any] = {
    "intervals": {
        "summary": "The intervals of the gap (here two of them), part from the store, part from the meter",
        "value": {
            "correlationId": "482915007734",
            "outcome": "completed",
            "intervals": INTERVALS,
            "missing": [],
            "partial": PARTIAL,
            "reachesTo": "2026-08-12T17:30:00-05:00",
            "register": {"wh": 23459133, "at": "2026-08-12T17:40:19-05:00"},
            "meterReads": 1,
            "octets": 530,
        },
    },
    "register": {
        "summary": "A register read",
        "value": {
            "correlationId": "482915007735",
            "outcome": "completed",
            "register": {"wh": 23459133, "at": "2026-08-12T17:40:19-05:00"},
            "meterReads": 1,
            "octets": 60,
        },
    },
    "power": {
        "summary": "A power status",
        "value": {
            "correlationId": "482915007736",
            "outcome": "completed",
            "power": POWER,
            "meterReads": 1,
            "octets": 60,
        },
    },
    "power_off": {
        "summary": "A power status of a meter that is silent after its last gasp: tried once, OFF by the event",
        "value": {
            "correlationId": "482915007739",
            "outcome": "completed",
            "power": POWER_OFF,
            "meterReads": 1,
            "octets": 500,
        },
    },
    "refused": {
        "summary": "The meter was needed and not allowed: what the store holds",
        "value": {
            "correlationId": "482915007737",
            "outcome": "refused",
            "reason": "the meter is needed and may not be read",
            "intervals": INTERVALS[:1],
            "reachesTo": "2026-08-12T16:00:00-05:00",
        },
    },
    "failed": {
        "summary": "The meter did not answer",
        "value": {
            "correlationId": "482915007738",
            "outcome": "failed",
            "reason": "the meter did not answer 4 tries",
            "meterReads": 4,
        },
    },
}

_METER: dict[str, Any] = {"esiid": _ESIID, "meterNumber": "929300017"}
_GASP = _METER | {"kind": "last_gasp", "at": "2026-08-12T16:02:11-05:00"}
#: Bodies of ``POST /events``.
EVENTS: dict[str, Any] = {
    "last_gasp": {"summary": "The power has failed", "value": {"events": [_GASP]}},
    "outage": {
        "summary": "A failure and its end, told together",
        "value": {"events": [_GASP, _METER | {"kind": "restoration", "at": "2026-08-12T16:47:38-05:00"}]},
    },
}
#: Answers to them.
EVENTS_TAKEN: dict[str, Any] = {
    "taken": {"summary": "Both are of a meter of ours", "value": {"accepted": 2, "unknown": 0}},
    "unknown": {"summary": "One is of a meter that is not", "value": {"accepted": 1, "unknown": 1}},
}
