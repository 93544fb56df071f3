"""``portal_read``: a customer reads the meter through the portal, by an app or by home automation."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from meters.calendar import Seconds, local, seconds
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.market.requests import again, why
from scenarios.parts.expected import COUNT, INSTANT, TEXT, Fact, Form
from scenarios.parts.setting import Act, Setting
from scenarios.parts.written import DAY_S
from scenarios.records.actions import Trouble
from scenarios.records.values import Count, Instant, Record
from simulator.customer.portal_user import portal_read

if TYPE_CHECKING:
    from scenarios.stage import Stage


class AtPortal(Act):
    """An action of a customer at the portal."""

    login: str | None = Field(default=None, description="Who acts: a customer; the account's unless given.")

    def by(self, scenario: Setting) -> str:
        """The log-in that acts."""
        return self.login or scenario.account_of(self).customer


class PortalRead(AtPortal):
    """A customer reads the meter through the portal: by an app, or by home automation as the public client does."""

    client: Literal["app", "home_automation", "home_assistant"] = Field(
        default="app",
        description="home_automation does not look at the answer to its request, and polls on after a refusal; home_assistant besides looks at once, and takes whatever read is shown as completed.",
    )
    host: Literal["www.smartmetertexas.com", "smartmetertexas.com"] | None = Field(
        default=None, description="SMT's name that the client asks for; the address itself unless given."
    )
    visits: bool = Field(default=False, description="The client looks at the front page first, and keeps its cookies.")
    poll_s: Seconds = Field(default=seconds(15), gt=0, le=DAY_S)
    polls: int = Field(default=20, gt=0, le=1000)


class RecordedPortalRead(Record):
    """A read through the portal as the customer's client saw it."""

    end: Literal["answered", "refused", "failed", "unanswered"]
    requested_at: Instant
    ended_at: Instant
    calls: Count
    odrdate_before: str | None
    odrdate: str | None
    odrread: str | None
    trouble: Trouble | None


SeenRead = Seen[PortalRead, RecordedPortalRead]


def _play(stage: Stage, action: PortalRead) -> Played:
    read = yield from portal_read(
        stage.runtime,
        stage.portal_client(action.by(stage.scenario), action.client, action.host, visits=action.visits),
        stage.esiid(action),
        stage.meter_number(action),
        action.ref,
        attentive=action.client == "app",
        hasty=action.client == "home_assistant",
        visits=action.visits,
        poll_s=action.poll_s,
        polls=action.polls,
    )
    return read.to_dict()


def _of(name: str) -> Any:
    return lambda seen: seen.record and getattr(seen.record, name)


def _refusal(seen: SeenRead) -> str | None:
    trouble = seen.record and seen.record.trouble
    return trouble.code if trouble and seen.record and seen.record.end == "refused" else None


def _error(seen: SeenRead) -> str | None:
    trouble = seen.record and seen.record.trouble
    return trouble.code.removeprefix("portal.") if trouble and seen.record and seen.record.end != "refused" else None


def _status(seen: SeenRead) -> str | None:
    error = _error(seen)
    return error if error in ("FAILED", "T-FAILED") else None


def _reading(seen: SeenRead) -> str | None:
    """Whether the reading shown was taken after the request: the portal's local time is held against the request's."""
    read = seen.record
    try:
        shown = datetime.strptime((read and read.odrdate) or "", "%m/%d/%Y %H:%M:%S")
    except ValueError:
        return None
    return "earlier" if read and shown < local(read.requested_at).replace(tzinfo=None) else "new"


def _tell(seen: SeenRead) -> str:
    read = seen.record
    if read is None:
        return "Nothing recorded."
    if read.end == "answered":
        return f"Read {read.odrread} kWh at {read.odrdate} by {read.calls} portal calls."
    if read.end == "unanswered":
        return f"After {read.calls} portal calls the odrdate is still {read.odrdate}: no new read is seen."
    return f"{read.end.capitalize()} after {read.calls} portal calls. {why(read.trouble)}{again(read.trouble)}"


ROWS = (
    Row(
        "portal_read",
        "Portal read",
        PortalRead,
        RecordedPortalRead,
        _play,
        (
            Fact("outcome", Form[Literal["answered", "refused", "failed", "unanswered"]], "how the read ended", _of("end")),
            Fact("requested_at", INSTANT, "instant of the request", _of("requested_at")),
            Fact("ended_at", INSTANT, "instant of its end", _of("ended_at")),
            Fact("calls", COUNT, "portal calls, log-in included", _of("calls")),
            Fact("odrdate_before", TEXT, "odrdate shown before", _of("odrdate_before")),
            Fact("odrdate", TEXT, "odrdate shown", _of("odrdate")),
            Fact("odrread", TEXT, "odrread shown", _of("odrread")),
            Fact("refusal", TEXT, "statusCode of the refusal", _refusal),
            Fact("error", TEXT, "code of the error", _error),
            Fact("status", Form[Literal["FAILED", "T-FAILED"]], "odrstatus", _status),
            Fact("reading", Form[Literal["new", "earlier"]], "whether the reading shown was taken for the request or before it", _reading),
            Fact("client", TEXT, "client", lambda seen: None if seen.action.client == "app" else seen.action.client),
        ),
        _tell,
        required=("outcome",),
    ),
)  # fmt: skip
