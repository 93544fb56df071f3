"""The wires of a TDSP's head-end, which no document gives: SMT's ``POST /inquiries`` is accepted (202), the result is called back; meters ``POST /events``.

Instants are ISO 8601 with offset. Energy is whole Wh. Examples here are the ones in the OpenAPI pages.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl

from meters.calendar import YEARS, Seconds, seconds
from meters.events import EventKind


def _plausible(when: datetime) -> datetime:
    if when.year not in YEARS:
        raise ValueError(f"the year must lie in {YEARS.start} to {YEARS.stop - 1}")
    return when


def _day(text: object) -> date:
    # Pydantic would take a number for seconds since 1970.
    said = str(text)
    try:
        day = date.fromisoformat(said)
    except ValueError:
        day = date.min
    if day.year not in YEARS or said != day.isoformat():
        raise ValueError(f"it is no day of {YEARS.start} to {YEARS.stop - 1}: write YYYY-MM-DD")
    return day


def writable(text: str) -> str:
    """The text, if every database, file and reply can hold it. Raises ValueError for half a surrogate pair and for NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the text is not valid Unicode: it has a lone surrogate") from None
    if "\0" in text:
        raise ValueError("the text has a NUL character")
    return text


#: An instant with its offset, in a year of this market.
Instant = Annotated[AwareDatetime, AfterValidator(_plausible)]
#: An operating day as text, in a year of this market.
OperatingDay = Annotated[date, BeforeValidator(_day)]
#: Text that can be written anywhere.
Text = Annotated[str, AfterValidator(writable)]
#: Energy of an interval as a meter may show it, Wh; raw, so a faulty meter's may be negative.
IntervalWh = Annotated[int, Field(strict=True, ge=-(2**31), lt=2**31)]
#: Cumulative energy, Wh.
RegisterWh = Annotated[int, Field(strict=True, ge=0, le=10**15)]


class InquiryKind(StrEnum):
    """What an inquiry asks of the head-end."""

    INTERVALS = "INTERVALS"
    REGISTER = "REGISTER"
    POWER = "POWER"


class Outcome(StrEnum):
    """How an inquiry ended at the head-end."""

    #: Everything asked for was delivered or reported missing by the meter.
    COMPLETED = "completed"
    #: The meter was needed and not allowed: what the store holds is delivered.
    REFUSED = "refused"
    #: The meter was needed and did not answer: what the store holds is delivered.
    FAILED = "failed"


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ServedInterval(_Wire):
    """One non-VEE interval, with where it came from."""

    end: Instant = Field(examples=["2026-08-12T16:15:00-05:00"])
    wh: IntervalWh = Field(examples=[412])
    source: Literal["store", "meter"] = Field(
        description="`store`: collected by an earlier sweep or read; `meter`: read for this inquiry."
    )
    collectedAt: Instant = Field(examples=["2026-08-12T17:40:22-05:00"])
    status: int = Field(
        default=0,
        strict=True,
        ge=0,
        lt=2**16,
        description="The meter's status word of the interval, 0 where there is nothing to tell: bits 15-12 of both channels (daylight saving, power failed,"
        " clock set forward, clock set back), 11-8 and 7-4 a condition of what was delivered and received (register-map.md). Of several meters: the flags of all, the highest condition.",
    )


class PartialInterval(_Wire):
    """What the meter shows beyond the last complete interval asked for; not to be billed as an interval."""

    start: Instant = Field(alias="from", examples=["2026-08-12T17:30:00-05:00"])
    asOf: Instant = Field(description="By the meter's clock.", examples=["2026-08-12T17:40:21-05:00"])
    seconds: Seconds = Field(ge=0, le=10**8, examples=[621])
    wh: IntervalWh = Field(examples=[288])


class RegisterRead(_Wire):
    """A cumulative register as the meter showed it; of several meters at the ESI ID their sum, by the latest clock."""

    wh: RegisterWh = Field(examples=[23459133])
    at: Instant


class PowerState(_Wire):
    """A power status. UNKNOWN means that nothing is known, never that the power is off."""

    status: Literal["ON", "OFF", "UNKNOWN"] = Field(
        description="`ON`: the meter answered, so its line has power, whatever its switch. `OFF`: it did not, and the latest it told is its last"
        " gasp. `UNKNOWN`: it did not, and told nothing, or that power was back. Of several meters at the ESI ID: `OFF` if one is, `ON` if all are, else `UNKNOWN`."
    )
    source: Literal["reply", "event", "none"] = Field(
        description="Of an `ON` the meter's reply, of an `OFF` its last gasp."
    )
    switchState: Literal["CLOSED", "OPEN", "UNKNOWN"] = Field(
        description="Service switch; `UNKNOWN` of several that differ. `OPEN` with `ON`: the line has power, the premise has none, because it is disconnected."
    )
    voltage: float | None = Field(default=None, ge=0, le=10**6, allow_inf_nan=False, examples=[243.1])
    at: Instant | None = Field(
        default=None, description="Of a reply, by the meter's clock; of an `OFF`, when the power failed."
    )


class InquiryRequest(_Wire):
    """SMT asks a head-end. `start`/`end` name the gap of an INTERVALS inquiry, at most 48 h; other kinds leave them out."""

    correlationId: Text = Field(min_length=1, max_length=64, examples=["482915007734"])
    kind: InquiryKind
    esiid: str = Field(pattern=r"^\d{17,22}$", examples=["10443720000000017"])
    start: Instant | None = Field(default=None, examples=["2026-08-12T00:00:00-05:00"])
    end: Instant | None = Field(default=None, examples=["2026-08-12T17:30:00-05:00"])
    meterAllowed: bool = Field(description="False: answer from the store; if that is not enough, refuse.")
    storeAllowed: bool = Field(
        default=True, description="False: the meter is read for the whole gap, whatever the store holds."
    )
    storeWithin: Seconds = Field(
        default=seconds(0),
        ge=0,
        le=172800,
        examples=[0],
        description="Seconds: no meter is read for an INTERVALS inquiry if what the store lacks is the end of the gap and no longer (never where several meters stand behind the ESI ID). What is lacking is then not told, `reachesTo` says from where.",
    )
    lastGaspAnswers: bool = Field(
        default=False,
        description="True: a POWER inquiry at a meter whose last gasp nothing has unsaid is answered by it, and no meter is tried.",
    )
    pushToSmt: bool = Field(
        default=False,
        description="True: SMT takes what each sweep collects at its `POST /non-vee`, from now on and until it answers 403 there.",
    )
    answerBy: Instant = Field(description="A later answer is not waited for.")
    replyTo: HttpUrl = Field(examples=["http://127.0.0.1:8600/callbacks/inquiries"])
    callReference: Text = Field(default="", max_length=64, examples=["call-0001"])


class InquiryAccepted(_Wire):
    """The answer to `POST /inquiries` (202)."""

    correlationId: str
    status: Literal["accepted"] = "accepted"


class InquiryResult(_Wire):
    """What is called back to `replyTo`."""

    correlationId: Text = Field(max_length=64, examples=["482915007734"])
    outcome: Outcome
    reason: Text = Field(default="", max_length=500)
    intervals: list[ServedInterval] = Field(default_factory=list)
    missing: list[Instant] = Field(
        default_factory=list, description="Ends of intervals that the meter itself has no value for."
    )
    partial: PartialInterval | None = None
    reachesTo: Instant | None = Field(
        default=None, description="To where the intervals known here reach without a break."
    )
    register_read: RegisterRead | None = Field(default=None, alias="register")
    power: PowerState | None = None
    meterReads: int = Field(default=0, ge=0, le=1000, description="Tries at the meter that this inquiry cost.")
    octets: int = Field(default=0, ge=0, lt=2**31, description="Modbus payload both ways.")


class PushedInterval(_Wire):
    """One non-VEE interval that a sweep collected."""

    end: Instant = Field(description="A whole quarter hour.", examples=["2026-08-12T16:00:00-05:00"])
    wh: IntervalWh | None = Field(
        description="Of several meters their sum. `null`: the meter itself has no value.", examples=[412]
    )
    status: int = Field(default=0, strict=True, ge=0, lt=2**16, description="As in the answer to an inquiry.")


class PushedMeter(_Wire):
    """What was collected of an ESI ID at one time; it may be named again with another time."""

    esiid: str = Field(pattern=r"^\d{17,22}$", examples=["10443720000000017"])
    collectedAt: Instant = Field(examples=["2026-08-12T16:00:35-05:00"])
    intervals: list[PushedInterval] = Field(min_length=1)


class NonVeeBatch(_Wire):
    """What a head-end posts to SMT's `/non-vee`: what its sweeps have collected and no batch before has brought."""

    batchId: Text = Field(
        min_length=1, max_length=64, description="The head-end's own, of this content.", examples=["5b1f0c6e9d3a4427"]
    )
    meters: list[PushedMeter] = Field(min_length=1)


class RefusedPart(_Wire):
    """A part of a batch that was not taken."""

    pointer: str = Field(examples=["meters[0].intervals[3].end"])
    rule: str = Field(description="Of the rules that answers are held to, or `ESIID`.", examples=["OFF-QUARTER"])
    value: str = Field(examples=["2026-08-12T16:07:00-05:00"])


class NonVeeTaken(_Wire):
    """What became of a batch (202), and again of the same batch."""

    batchId: str = Field(examples=["5b1f0c6e9d3a4427"])
    status: Literal["accepted", "duplicate"] = Field(
        description="`duplicate`: it was taken before, and counts once; the figures are those of then."
    )
    accepted: int = Field(ge=0, description="Intervals that are held now, until the VEE data of their day are posted.")
    posted: int = Field(ge=0, description="Intervals of days whose VEE data were posted before: not held.")
    refused: int = Field(ge=0, description="Intervals that broke a rule: not held.")
    parts: list[RefusedPart] = Field(default_factory=list, description="Why: the first hundred.")


#: Events that one request brings at most.
MAX_EVENTS = 10_000


class EventReport(_Wire):
    """One event of one meter."""

    esiid: str = Field(pattern=r"^\d{17,22}$", examples=["10443720000000017"])
    meterNumber: str = Field(pattern=r"^\d{1,12}$", description="Digits only.", examples=["900000017"])
    kind: EventKind = Field(
        description="`last_gasp`: the power has failed; `restoration`: it is back; `momentary`: it was away for a moment; `disconnected`, `connected`: the service switch was"
        " moved; `clock_set`: the clock was set."
    )
    at: Instant = Field(
        description="When it happened, to the second; not ahead of the head-end's clock.",
        examples=["2026-08-12T16:02:11-05:00"],
    )


class EventBatch(_Wire):
    """What is posted to `/events`."""

    events: list[EventReport] = Field(min_length=1, max_length=MAX_EVENTS)


class EventsAccepted(_Wire):
    """The answer to `POST /events` (202). What was told before counts as accepted and changes nothing."""

    accepted: int = Field(ge=0)
    unknown: int = Field(ge=0, description="Events of ESI IDs or meters that this head-end's records do not have.")
