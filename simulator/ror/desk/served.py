"""What the desk's API and its pages share: the desk that they serve, who gets in, and with which status it is told what cannot be."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Annotated

from headend.http.described_api import party_of
from simulator.ror.desk.calls import CallDesk
from simulator.web.visitors import LogIn, Sessions

#: Of HTTP, by the code of an error; 409 for any other.
STATUS = {"ror.account.unknown": 404, "ror.call.unknown": 404, "ror.calls.many": 429, "ror.ledger.unwritable": 503}


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
