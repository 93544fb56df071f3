"""On-demand requests at the market API, as facts: what an action's request came to, by what the retailer saw and by SMT's ledger."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from meters.calendar import Seconds, local, seconds, to_s
from scenarios.actions.action import Seen
from scenarios.parts.expected import COUNT, INSTANT, TEXT, TEXTS, TRUTH, Fact, Form
from scenarios.parts.setting import Act, Setting
from scenarios.parts.written import DAY_S
from scenarios.records.actions import RecordedRequest, ServedAnswer, Trouble
from simulator.ror.call.on_demand import RequestEnd
from simulator.smt.ondemand.lifecycle import State

#: The refusal that no waiting lifts.
FOR_GOOD = "STORE-ONLY"


class AtMarket(Act):
    """An action of someone at the market API."""

    login: str | None = Field(
        default=None, description="Who asks: a ROR or the CSP; the ROR of the account unless given."
    )
    poll_s: Seconds = Field(default=seconds(5), gt=0, le=DAY_S)

    def by(self, scenario: Setting) -> str:
        """The log-in that acts."""
        return self.login or scenario.account_of(self).ror


def again(trouble: Trouble | None) -> str:
    """When to try again, as a sentence."""
    at = trouble and trouble.retry_at
    return "" if at is None else f" Try again from {local(at):%Y-%m-%d %H:%M}."


def why(trouble: Trouble | None) -> str:
    """What was said of it."""
    return "" if trouble is None else trouble.reason


def request_of(seen: Seen[Any, Any]) -> RecordedRequest | None:
    """The request of an action that is one, or that made one."""
    if seen.record is None:
        return None
    return seen.record if isinstance(seen.record, RecordedRequest) else seen.record.request


def served(seen: Seen[Any, Any]) -> ServedAnswer | None:
    """What SMT answered."""
    request = request_of(seen)
    return request and request.served


def _trouble(seen: Seen[Any, Any], *ends: RequestEnd) -> Trouble | None:
    request = request_of(seen)
    return request.trouble if request and request.end in ends else None


def _of(name: str) -> Any:
    def got(seen: Seen[Any, Any]) -> Any:
        answer = served(seen)
        return answer and getattr(answer, name)

    return got


def _asked(name: str) -> Any:
    def got(seen: Seen[Any, Any]) -> Any:
        request = request_of(seen)
        return request and getattr(request, name)

    return got


def _refusal(seen: Seen[Any, Any]) -> str | None:
    trouble = _trouble(seen, RequestEnd.REFUSED)
    return trouble and trouble.code


def _error(seen: Seen[Any, Any]) -> str | None:
    trouble = _trouble(seen, *(end for end in RequestEnd if end is not RequestEnd.REFUSED))
    return trouble and trouble.code.removeprefix("smt.")


def _comes_back(seen: Seen[Any, Any]) -> bool | None:
    request = request_of(seen)
    if request is None or request.trouble is None:
        return None
    if request.trouble.code == FOR_GOOD:
        return True
    # At the earliest when it was refused: by the ledger, for who polls hears of it later; who is refused when asking is not to ask at once.
    refused = [step.at_us for entry in seen.filed for step in entry.life if step.state is State.REFUSED]
    earliest = to_s(max(refused)) if request.correlation_id and refused else (request.ended_at or 0) + 1
    return request.trouble.retry_at is not None and request.trouble.retry_at >= earliest


def outcome(*ends: str) -> Fact:
    """How a request ended, as one of these words."""

    def got(seen: Seen[Any, Any]) -> str | None:
        request = request_of(seen)
        return request and request.end.value.replace("not made", "not_needed")

    return Fact("outcome", Form[Literal[ends]], "how the request ended", got)  # type: ignore[valid-type]


def by_login(seen: Seen[AtMarket, Any]) -> bool:
    """Whether SMT's ledger has one request of it, under its log-in."""
    return [entry.username for entry in seen.filed] == [seen.action.by(seen.evidence.scenario)]


#: Of every request.
REQUEST = (
    Fact("requested_at", INSTANT, "instant of the request", _asked("requested_at")),
    Fact("correlation_id", TEXT, "correlation id", _asked("correlation_id")),
    Fact("seconds", COUNT, "seconds from the request to its end", _asked("seconds")),
    Fact("meter_reads", COUNT, "meter reads", _of("meter_reads")),
    Fact("refusal", TEXT, "code of the refusal", _refusal),
    Fact("error", TEXT, "code of the error", _error),
    Fact("retry_at", INSTANT, "when to try again", lambda seen: (request := request_of(seen)) and request.trouble and request.trouble.retry_at),
    Fact("reasoned", TRUTH, "the refusal has a reason", lambda seen: bool((request := request_of(seen)) and why(request.trouble)), shown=False),
    Fact("comes_back", TRUTH, "the refusal says when to try again, if ever", _comes_back, shown=False),
    Fact("ledger", TEXTS, "end of the request in SMT's ledger", lambda seen: tuple(entry.last.state.value for entry in seen.filed), shown=False),
    Fact("cost", COUNT, "meter reads that it cost by SMT's ledger", lambda seen: sum(entry.last.meter_reads for entry in seen.filed), shown=False),
    Fact("states", TEXTS, "life of the request in SMT's ledger", lambda seen: tuple(step.state.value for entry in seen.filed for step in entry.life), shown=False),
    Fact("octets", COUNT, "octets to and from the meter by SMT's ledger", lambda seen: sum(entry.last.octets for entry in seen.filed), shown=False),
    Fact("status_code", TEXT, "status code of SMT's answer", _of("status_code"), shown=False),
    Fact("own_login", TRUTH, "log-in that asked is the one that acts", by_login, shown=False),
)  # fmt: skip

#: A refusal names its rule, a reason, and when to come back; and it cost no meter read.
REFUSED = {"reasoned": True, "comes_back": True, "ledger": {"one_of": [["refused"], []]}, "cost": 0}
COMPLETED = {"ledger": ["completed"], "own_login": True}


def implied(action: Act) -> dict[str, Any]:
    """What the outcome of a request implies."""
    return {"answered": COMPLETED, "refused": REFUSED}.get(action.expect.of("outcome"), {})
