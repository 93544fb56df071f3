"""Complaints that are switched on: for an ESI ID, a ROR or a user, for a stretch of model time; kept in the database, each strike in the journal.

Three hooks look here and nowhere else: the doors (``doors/complaint_door.py``), the middle tier and the desk (``hooks.py``).
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from sqlalchemy.exc import SQLAlchemyError

from headend.ports import Journal
from meters.calendar import Seconds, epoch, seconds
from meters.errors import MeterError
from simulator.smt.complaints.book import ComplaintBook
from simulator.smt.complaints.kinds import KINDS, ComplaintKind

#: Seconds of a hang unless told, and at most; wall time. Defaults of this project.
HANG_S, LONGEST_HANG_S = seconds(60), seconds(600)
#: Seconds that a stale read stays unless told, and at most; model time. Defaults of this project.
STALE_S, LONGEST_STALE_S = seconds(3600), seconds(7 * 86_400)
#: Complaints that may be on at a time: each call is held against all of them.
MOST = 200
#: Of several processes each learns within so much wall time what another has declared. A default of this project.
LOOK_S = 0.5


_BEGINS_WITH_A_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _written(value: Any) -> Any:
    # A number, in quotes or not, would be taken for seconds since 1970.
    if isinstance(value, datetime) or (isinstance(value, str) and _BEGINS_WITH_A_DAY.match(value)):
        return value
    raise ValueError("write it as 2026-08-12T17:40, Central Prevailing Time, or with an offset")


#: A header's name, and what it has in it.
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(: ?\S.*)?")
#: Fields that not every kind takes.
_NARROWING = ("paths", "host", "header", "lacks", "seconds", "taken", "restamp", "by")


def _header(value: str) -> str:
    if not _HEADER.fullmatch(value):
        raise ValueError("write a header's name, or name: and a part of what it has in it (user-agent: python)")
    return value


Header = Annotated[str, AfterValidator(_header)]
Instant = Annotated[datetime, BeforeValidator(_written)]


class ComplaintSpec(BaseModel):
    """A complaint as it is declared: a kind, whom it hits (everyone unless told), from when to when (always unless told), its parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ComplaintKind = Field(examples=["text_503"])
    esiids: tuple[str, ...] = Field(default=(), max_length=1000, description="Only calls about one of these ESI IDs.")
    duns: str | None = Field(default=None, max_length=64, description="Only calls of this ROR, by its DUNS number.")
    username: str | None = Field(default=None, max_length=64, description="Only calls of this log-in.")
    first: Instant | None = Field(
        default=None,
        description="Local time, or with an offset: it begins then.",
        examples=["2026-08-13T02:00:00-05:00"],
    )
    until: Instant | None = Field(
        default=None,
        description="It ends before that instant; maintenance needs it.",
        examples=["2026-08-13T04:00:00-05:00"],
    )
    times: int | None = Field(
        default=None, strict=True, ge=1, le=1_000_000, description="It ends after so many strikes."
    )
    paths: tuple[str, ...] = Field(default=(), max_length=50, description="Only calls of paths that begin so.")
    seconds: Seconds | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=LONGEST_STALE_S,
        description=f"Of hang: wall time, {HANG_S} unless told, at most {LONGEST_HANG_S}. Of stale_read: model time since the new request, {STALE_S} unless told.",
    )
    host: str | None = Field(
        default=None, max_length=253, description="Only calls to this host name.", examples=["www.smartmetertexas.com"]
    )
    header: Header | None = Field(
        default=None,
        max_length=200,
        description="Only calls with this header: its name, or name: and what it has in it, capitals or not.",
    )
    lacks: Header | None = Field(default=None, max_length=200, description="Only calls without such a header.")
    taken: bool = Field(default=False, description="The call is carried out first; only its answer is lost.")
    restamp: bool = Field(default=False, description="Of stale_read: the old read comes under the new one's odrdate.")
    by: str | None = Field(default=None, max_length=200, description="Of quota_used: who is said to have used it.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        row = KINDS[self.kind]
        for name in _NARROWING:
            if getattr(self, name) != type(self).model_fields[name].default and name not in row.parameters:
                takes = ", ".join(sorted(row.parameters)) or "no parameter"
                raise ValueError(f"{self.kind.value} does not take {name}; it takes {takes}")
        if row.needs_until and self.until is None:
            raise ValueError(f"{self.kind.value} needs until: who is refused is told when to come back")
        if self.kind is ComplaintKind.HANG and (self.seconds or 0) > LONGEST_HANG_S:
            raise ValueError(f"a hang lasts at most {LONGEST_HANG_S} seconds")
        try:
            first, until = instant(self.first), instant(self.until)
        except MeterError as error:
            raise ValueError(error.message) from None
        if first is not None and until is not None and until <= first:
            raise ValueError("until does not come after first")
        return self


def instant(when: datetime | None) -> Seconds | None:
    """UTC epoch seconds; a time without an offset is local. Raises MeterError for one that does not exist."""
    return None if when is None else epoch(when)


class Unmatched(NamedTuple):
    """Which field of a complaint makes it match nobody, and how."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Sought:
    """What is known of a call: who makes it, and which ESI IDs it is about."""

    username: str = ""
    duns: str = ""
    esiids: tuple[str, ...] = ()
    #: Of a call at the doors: the host name that it asks for, and its headers by their names in small letters.
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def has(self, header: str) -> bool:
        """Whether a header, written as in a declaration, came with the call."""
        name, _, part = header.lower().partition(":")
        return name in self.headers and part.strip() in self.headers[name].lower()


@dataclass(slots=True)
class Complaint:
    """One that is declared. Instants: UTC epoch seconds."""

    number: int
    spec: ComplaintSpec
    first: Seconds | None
    until: Seconds | None
    strikes: int = 0

    @property
    def ident(self) -> str:
        """What it is called."""
        return f"complaint-{self.number}"

    def on(self, now: Seconds) -> bool:
        """Whether it may strike now."""
        if self.spec.times is not None and self.strikes >= self.spec.times:
            return False
        return (self.first is None or self.first <= now) and (self.until is None or now < self.until)

    def hits(self, sought: Sought) -> bool:
        """Whether a call is one that it is meant for."""
        spec = self.spec
        return (
            (spec.username is None or spec.username == sought.username)
            and (spec.duns is None or spec.duns == sought.duns)
            and (not spec.esiids or not set(spec.esiids).isdisjoint(sought.esiids))
            and (spec.host is None or spec.host.lower() == sought.host)
            and (spec.header is None or sought.has(spec.header))
            and (spec.lacks is None or not sought.has(spec.lacks))
        )


class TooManyError(Exception):
    """As many complaints are on as may be."""


class Complaints:
    """Those of one SMT, in the order in which they were declared: of several that fit, the first strikes."""

    def __init__(
        self, now: Callable[[], Seconds], journal: Journal, book: ComplaintBook, *, shared: bool = False
    ) -> None:
        """Go on with those that the book has. now: model time, UTC epoch seconds. shared: other processes write in it too."""
        self._now = now
        self._journal = journal
        self._book = book
        self._shared = shared
        self._declared: dict[int, Complaint] = {}
        self._look_at = 0.0
        self._look()
        for complaint in self._declared.values():
            self._journal.note(now(), "SMT", "complaint still on", complaint.ident, complaint=complaint.spec.kind.value)

    def __bool__(self) -> bool:
        """Whether there are any at all: the doors look no further without."""
        if self._shared and time.monotonic() >= self._look_at:
            # The database may be away for a while: /healthz tells that it is.
            with contextlib.suppress(SQLAlchemyError):
                self._look()
        return bool(self._declared)

    def __iter__(self) -> Iterator[Complaint]:
        """Every one that is declared."""
        if self._shared:
            self._look()
        return iter(list(self._declared.values()))

    def declare(self, spec: ComplaintSpec) -> Complaint:
        """Switch one on. Raises TooManyError."""
        number = self._book.enter(spec.model_dump(mode="json", exclude_defaults=True), MOST)
        if number is None:
            raise TooManyError
        made = self._declared[number] = _begun(number, spec)
        self._journal.note(self._now(), "SMT", "complaint declared", made.ident, complaint=spec.kind.value)
        return made

    def lift(self, ident: str) -> Complaint | None:
        """Switch one off; None if there is none of that id."""
        lifted = next((one for one in self if one.ident == ident), None)
        strikes = None if lifted is None else self._book.lift(lifted.number)
        if lifted is None or strikes is None:
            return None
        lifted.strikes = strikes
        self._declared.pop(lifted.number, None)
        self._journal.note(self._now(), "SMT", "complaint lifted", ident, strikes=strikes)
        return lifted

    def on(self, *kinds: ComplaintKind) -> list[Complaint]:
        """Those that may strike now, of some kinds or of any."""
        now = self._now()
        return [
            complaint
            for complaint in self._declared.values()
            if (not kinds or complaint.spec.kind in kinds) and complaint.on(now)
        ]

    def count(self, complaint: Complaint) -> bool:
        """Count a strike; False if it may not strike any more: another process lifted it, or used up its times."""
        strikes = self._book.strike(complaint.number, complaint.spec.times)
        if strikes is None:
            return False
        complaint.strikes = strikes
        return True

    def struck(self, complaint: Complaint, **facts: Any) -> None:
        """Note a strike that was counted, so that a verdict can tell a complaint from a fault of ours."""
        self._journal.note(
            self._now(), "SMT", "complaint", complaint.ident, complaint=complaint.spec.kind.value, **facts
        )

    def strike(self, sought: Sought, *kinds: ComplaintKind) -> Complaint | None:
        """The first of some kinds that hits a call now, its strike counted; the caller notes what it did."""
        return next(
            (complaint for complaint in self.on(*kinds) if complaint.hits(sought) and self.count(complaint)), None
        )

    def _look(self) -> None:
        """Take in what other processes, or an earlier run, declared, lifted and counted."""
        self._look_at = time.monotonic() + LOOK_S
        entered = self._book.on()
        before, self._declared = self._declared, {}
        for number, spec, strikes in entered:
            complaint = before.get(number) or _begun(number, ComplaintSpec.model_validate(spec))
            complaint.strikes = strikes
            self._declared[number] = complaint


def _begun(number: int, spec: ComplaintSpec) -> Complaint:
    return Complaint(number, spec, instant(spec.first), instant(spec.until))
