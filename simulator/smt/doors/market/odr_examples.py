"""Bodies of the market API's on-demand calls as its OpenAPI document shows them: one for each way in which a call may go."""

from __future__ import annotations

from typing import Any

from headend.service.examples import INTERVALS, PARTIAL, POWER, POWER_OFF
from simulator.smt.doors.both.examples import ESIID, business, one
from simulator.smt.doors.both.refusal import SILENT, SUBMITTED
from simulator.smt.doors.market.examples import DELIVERY, KEY, TERMS, USERNAME, asked
from simulator.smt.doors.market.odr_wire import PENDING, RETRIEVED

ODR_ASKED = {
    "gap": one(
        "The intervals of the gap, for a customer's call",
        asked("ror-000017", ESIID=ESIID, readType="INTERVALS", callReference="call-0001"),
    ),
    "plain": one("A plain on-demand read of the register, as SMT documents it", asked("ror-000018", ESIID=ESIID)),
}
POWER_ASKED = {
    "power": one(
        "Has the premise power? For a customer's call", asked("ror-000019", ESIID=ESIID, callReference="call-0001")
    )
}
STATUS_ASKED = {
    "poll": one(
        "By the `correlationId` that the request was answered with",
        {"trans_id": "ror-000020", "requestorID": USERNAME, "correlationId": KEY} | DELIVERY | TERMS,
    )
}
_USED = (
    "FR CR016.1 allows one successful meter read request per ESI ID and day. It was used at 2026-08-12T10:02:41-05:00."
)
_REFUSAL = {"code": "FR-CR016.1b", "reason": _USED, "retryAt": "2026-08-13T00:00:00-05:00"}
_POWER_USED = (
    "FR CR016.1 allows one successful power status request per ESI ID and day. "
    "It was used at 2026-08-12T10:02:41-05:00."
)
_ODR_ERRORS = business(("AC1", ()), ("A2", ()), ("DE-ENERGIZED", ()))


def _taken(trans_id: str) -> dict[str, Any]:
    return one(
        "Taken on: poll `/v2/odrstatus/`",
        {"trans_id": trans_id, "correlationId": KEY, "statusCode": "0", "statusReason": SUBMITTED},
    )


ODR = {
    "taken": _taken("ror-000017"),
    "refused": one(
        "Refused by a limit (an INTERVALS request is taken on all the same, as the head-end's store may do)",
        {"trans_id": "ror-000018", "statusCode": "1", "statusReason": _USED, "refusal": _REFUSAL},
    ),
    "silent": one(
        "Refused by a limit that says nothing",
        {"trans_id": "ror-000018", "statusCode": "1", "statusReason": SILENT},
    ),
    **_ODR_ERRORS,
    **business(("NO-GAP", ("2026-08-12T17:30:00-05:00",))),
}
POWER_STATUS = {
    "taken": _taken("ror-000019"),
    "refused": one(
        "Refused by a limit",
        {
            "trans_id": "ror-000019",
            "statusCode": "1",
            "statusReason": _POWER_USED,
            "refusal": _REFUSAL | {"code": "FR-CR016.1a", "reason": _POWER_USED},
        },
    ),
    **_ODR_ERRORS,
}

_STATUS = {"trans_id": "ror-000020", "correlationId": KEY}
_PENDING = _STATUS | {
    "statusCode": "PEN",
    "statusReason": PENDING,
    "odrRead": {"registeredRead": 0, "readDate": "08/12/2026 17:40:00"},
}
_ANSWERED = _STATUS | {"statusCode": "0", "statusReason": RETRIEVED}
_READ = {"odrRead": {"registeredRead": 23459.133, "readDate": "08/12/2026 17:40:19"}}
_GAP: dict[str, Any] = {
    "gap": {"start": "2026-08-12T00:00:00-05:00", "end": "2026-08-12T17:30:00-05:00"},
    "uncovered": [],
    "holes": [],
}
ODR_STATUS = {
    "pending": one("Pending: a register read or a power status", _PENDING),
    "pending intervals": one("Pending: INTERVALS", _PENDING | _GAP),
    "register": one("Answered: a register read", _ANSWERED | _READ),
    "intervals": one(
        "Answered: INTERVALS (here two of the 70)",
        _ANSWERED
        | _READ
        | {"quality": "non-VEE"}
        | _GAP
        | {
            "intervals": INTERVALS,
            "missing": [],
            "partial": PARTIAL,
            "reachesTo": "2026-08-12T17:30:00-05:00",
            "meterReads": 1,
        },
    ),
    "refused": one(
        "Refused: the meter was needed and its allowance is used up; with what the store holds (here one of 64)",
        _STATUS
        | {"statusCode": "1", "statusReason": _USED, "quality": "non-VEE"}
        | _GAP
        | {
            "intervals": INTERVALS[:1],
            "missing": [],
            "reachesTo": "2026-08-12T16:00:00-05:00",
            "meterReads": 0,
            "refusal": _REFUSAL,
        },
    ),
    "power": one("Answered: a power status", _ANSWERED | {"powerStatus": POWER, "meterReads": 1}),
    "power off": one(
        "Answered: a power status that is known from the meter's last gasp",
        _ANSWERED | {"powerStatus": POWER_OFF, "meterReads": 1},
    ),
    "failed": one("Failed", _STATUS | {"statusCode": "1", "statusReason": "FAILED: the meter did not answer 4 tries"}),
    "expired": one(
        "Nothing came back in time",
        _STATUS | {"statusCode": "1", "statusReason": "T-FAILED: no answer from the TDSP in time"},
    ),
    **business(("CORRELATION", ())),
}
