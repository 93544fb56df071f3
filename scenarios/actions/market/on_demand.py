"""``power_status`` and ``on_demand_read``: requests of a ROR or the CSP at the market API, of the power and of the register now."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from meters.calendar import Seconds, seconds
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.market.requests import REQUEST, AtMarket, again, implied, outcome, served, why
from scenarios.parts.expected import AMOUNT, TEXT, Fact, Form
from scenarios.parts.written import DAY_S
from scenarios.records.actions import Power, RecordedRequest
from simulator.ror.call.inquiry import power_inquiry, register_inquiry, request_dict
from simulator.ror.call.on_demand import RequestEnd

if TYPE_CHECKING:
    from scenarios.stage import Stage


class PowerStatus(AtMarket):
    """A ROR or the CSP asks for a power status."""

    patience_s: Seconds = Field(default=seconds(180), gt=0, le=DAY_S)


class OnDemandRead(AtMarket):
    """A ROR or the CSP asks for a plain on-demand read: the register, now."""


def _played(inquiry: Any) -> Any:
    def play(stage: Stage, action: AtMarket) -> Played:
        client = stage.smt_client(action.by(stage.scenario))
        asked = (stage.runtime, client, stage.esiid(action), action.ref, action.poll_s, stage.sandbox.journal)
        return request_dict((yield from inquiry(*asked)))

    return play


def _power(seen: Seen[Any, RecordedRequest]) -> Power | None:
    answer = served(seen)
    return answer and answer.power


def _tell_power(seen: Seen[PowerStatus, RecordedRequest]) -> str:
    request, power = seen.record, _power(seen)
    if request and power and request.end is RequestEnd.ANSWERED:
        volts = "no voltage told" if power.voltage is None else f"{power.voltage} V"
        return f"Power is {power.status}: switch {str(power.switch_state).lower()}, {volts}, by {power.source}."
    ended, trouble = (None, None) if request is None else (request.end.value, request.trouble)
    return f"{(ended or 'nothing recorded').capitalize()}. {why(trouble)}{again(trouble)}"


def _tell_read(seen: Seen[OnDemandRead, RecordedRequest]) -> str:
    who, trouble = seen.action.by(seen.evidence.scenario), seen.record and seen.record.trouble
    match seen.record and seen.record.end:
        case RequestEnd.ANSWERED:
            return f"{who} reads the meter."
        case RequestEnd.REFUSED:
            return f"{who} is refused. {why(trouble)}{again(trouble)}"
        case _:
            return f"{who} gets no read. {why(trouble)}"


def _implied_read(action: OnDemandRead) -> dict[str, Any]:
    return implied(action) | ({"cost": {"at_least": 1}} if action.expect.of("outcome") == "answered" else {})


_OUTCOME = outcome("answered", "refused", "failed", "unanswered")
ROWS = (
    Row(
        "power_status",
        "Power status",
        PowerStatus,
        RecordedRequest,
        _played(power_inquiry),
        (
            _OUTCOME,
            *REQUEST,
            Fact("status", Form[Literal["ON", "OFF", "UNKNOWN"]], "power status", lambda seen: (power := _power(seen)) and power.status),
            Fact("power_source", TEXT, "what the status is by", lambda seen: (power := _power(seen)) and power.source),
            Fact("switch", TEXT, "service switch", lambda seen: (power := _power(seen)) and power.switch_state),
            Fact("voltage", AMOUNT, "voltage", lambda seen: (power := _power(seen)) and power.voltage and Decimal(power.voltage), unit="V"),
        ),
        _tell_power,
        required=("outcome",),
        implied=implied,
    ),
    Row(
        "on_demand_read",
        "On-demand read",
        OnDemandRead,
        RecordedRequest,
        _played(register_inquiry),
        (_OUTCOME, *REQUEST),
        _tell_read,
        required=("outcome",),
        implied=_implied_read,
    ),
)  # fmt: skip
