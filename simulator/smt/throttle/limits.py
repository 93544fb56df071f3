"""A throttle as data: what a limit counts, whose requests together, over what; and a policy, which is limits and where answers come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from meters.calendar import Seconds, seconds


class Kind(StrEnum):
    """What a limit counts."""

    READ = "read"
    STATUS = "status"


class Scope(StrEnum):
    """Whose requests are counted together."""

    ESIID = "esiid"
    ROR = "ror"
    REQUESTER_CLASS = "requester_class"
    TDSP = "tdsp"
    ACCESS_POINT = "access_point"


class Window(StrEnum):
    """Over which time is counted."""

    DAY = "day"
    CLOCK_HOUR = "clock_hour"
    ROLLING_HOUR = "rolling_hour"
    ROLLING_DAY = "rolling_day"


class Door(StrEnum):
    """By which of SMT's doors a request came."""

    API = "api"
    PORTAL = "portal"


class Source(StrEnum):
    """Where an answer may come from."""

    METER_ONLY = "meter_only"
    STORE_FIRST = "store_first"
    STORE_ONLY = "store_only"


class RequesterClass(StrEnum):
    """Who asks, as policies tell requesters apart. Source: DOMAIN §4."""

    ROR_CALL_CENTRE = "ror_call_centre"
    ROR_BULK = "ror_bulk"
    CUSTOMER = "customer"
    HOME_AUTOMATION = "home_automation"
    CSP = "csp"


class Measure(StrEnum):
    """What is held against a limit's amount."""

    #: Successes in a window.
    SUCCESSES = "successes"
    #: Modbus octets in a window: an estimate while under way, then what the answer says.
    OCTETS = "octets"
    #: Requests under way at once.
    UNDER_WAY = "under_way"
    #: Successes, each of which takes a token from a bucket that fills steadily.
    TOKENS = "tokens"
    #: Meters that did not answer: too many of them open a circuit breaker.
    METER_FAILURES = "meter_failures"


#: What keeps a mark beside its counts: a level, or since when it is open.
MARKED = frozenset({Measure.TOKENS, Measure.METER_FAILURES})


#: How long a request is expected to be under way: the middle tier's median (DOMAIN §4 [S]).
EXPECTED_S = seconds(70)


@dataclass(frozen=True, slots=True)
class Limit:
    """So much of a measure, per scope value and window."""

    name: str
    #: None: reads and power statuses together.
    kind: Kind | None
    scope: Scope
    #: Of the measure; of ``TOKENS`` what flows in every ``per_s``, of ``METER_FAILURES`` what opens the breaker.
    amount: int
    #: Over which time; not looked at by measures without a window.
    window: Window
    #: Code of the refusal, and the sentence that tells the rule.
    code: str
    rule: str
    #: What the portal API answers instead (5031 hourly, 5032 daily).
    portal_code: str = "5032"
    #: A silent limit refuses without a reason.
    told: bool = True
    #: Only requests through these doors count.
    doors: frozenset[Door] = frozenset(Door)
    #: Only requests of these classes count; empty: of all. Then those of ``but_classes`` do not.
    classes: frozenset[str] = frozenset()
    but_classes: frozenset[str] = frozenset()
    measure: Measure = Measure.SUCCESSES
    #: OCTETS: what a request is taken to cost until it has ended.
    estimate: int = 1
    #: TOKENS: how many the bucket holds, and in how many seconds ``amount`` flow in.
    burst: int = 0
    per_s: int = 0
    #: METER_FAILURES: over how many seconds failures count, and for how many the breaker stays open.
    within_s: Seconds = seconds(0)
    cool_down_s: Seconds = seconds(0)
    #: UNDER_WAY and the breaker's probe: after so many seconds one that is under way is expected to have ended.
    expected_s: Seconds = EXPECTED_S

    @property
    def weight(self) -> int:
        """How much one request holds while it is under way."""
        return self.estimate if self.measure is Measure.OCTETS else 1


@dataclass(frozen=True, slots=True)
class Policy:
    """A throttle: limits x source. Refuses nothing by itself; see ``decision.admit``."""

    name: str
    title: str
    source: Source
    limits: tuple[Limit, ...]
    #: A completed read of the same ESI ID and kind that is younger than so many seconds answers instead of another one; 0: none does.
    reuse_s: Seconds = seconds(0)
    #: By so many seconds the head-end's store may fall short of the gap's end and still be the answer; 0: by none.
    store_within_s: Seconds = seconds(0)
    #: Whether a power status is answered by a last gasp that nothing has unsaid, without a try at the meter.
    last_gasp_answers: bool = False
    #: Whether head-ends send SMT what each sweep collected, and that answers where it reaches as far as is wanted; nothing under ``meter_only``.
    push_to_smt: bool = False


class Requested(NamedTuple):
    """What the throttle must know of a request."""

    kind: Kind
    door: Door
    scopes: Mapping[Scope, str]


def concerns(limit: Limit, requested: Requested) -> bool:
    """Whether a limit counts a request."""
    if limit.kind is not None and limit.kind is not requested.kind:
        return False
    if requested.door not in limit.doors:
        return False
    if not limit.classes and not limit.but_classes:
        return True
    asking = requested.scopes.get(Scope.REQUESTER_CLASS, "")
    return asking not in limit.but_classes and (not limit.classes or asking in limit.classes)
