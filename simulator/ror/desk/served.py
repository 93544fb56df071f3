"""What the desk's API and its pages share: the desk that they serve, who gets in, and with which status it is told what cannot be."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from headend.http.described_api import party_of
from simulator.ror.desk.calls import CallDesk
from simulator.web.visitors import Sessions

#: Of HTTP, by the code of an error; 409 for any other.
STATUS = {"ror.account.unknown": 404, "ror.call.unknown": 404, "ror.calls.many": 429, "ror.ledger.unwritable": 503}


class Entry(StrEnum):
    """What became of a log-in."""

    IN = "in"
    WRONG = "wrong"
    #: Too soon after bad ones: not looked at.
    BLOCKED = "blocked"


#: Looks at a log-in: name, password, and the address that it comes from.
LogIn = Callable[[str, str, str], Awaitable[Entry]]


@dataclass(frozen=True, slots=True)
class Served:
    """What the service works on."""

    desk: CallDesk
    log_in: LogIn
    #: Of agents' browsers, by wall time.
    sessions: Sessions = field(default_factory=lambda: Sessions(time.time))
    #: Wall seconds that a page waits for the answer without a read before it goes out without it.
    waits_s: float = 0.8


#: Of a handler's parameter: the desk whose application took the request.
ServedDesk = Annotated[Served, party_of(Served)]
