"""A call over HTTP and its answer, as they are read of any file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from headend.http.foreign import document
from meters.calendar import Seconds
from scenarios.outside.party import PORTAL

#: Paths of a log-in, and of what SMT's users do.
LOG_INS = ("/v2/token", "/commonapi/user/authenticate", "/api/user/authenticate")
#: By how a path begins, whose service it is: what a scenario's ``http`` reaches.
_SERVICES = {
    "/v2/": "smt",
    **dict.fromkeys(PORTAL, "smt"),
    "/control/": "smt",
    "/healthz": "smt",
    "/metrics": "smt",
    "/non-vee": "smt",
    "/inquiries": "headend",
    "/events": "headend",
    "/batches/": "headend",
    "/collection/": "headend",
    "/findings": "headend",
    "/calls": "desk",
    "/accounts": "desk",
}


def parsed(text: str | None) -> Any:
    """The JSON of a body; None for what is none."""
    try:
        return None if text is None else document(text)
    except ValueError:
        return None


@dataclass(frozen=True, eq=False)
class Exchange:
    """One entry of a file. ``n``: its number there. ``path``: with the query. ``body``, ``told``: what was asked and answered; None where the file has none.

    ``status``: None for no answer. ``addresses``: hosts and the like, which are not carried.
    """

    n: int
    at: Seconds
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    status: int | None = None
    told: str | None = None
    addresses: tuple[str, ...] = ()
    #: The file says that there was a body, and not what it was.
    cut: bool = False

    @cached_property
    def bare(self) -> str:
        """The path without query and last slash."""
        return self.path.partition("?")[0].rstrip("/") or "/"

    @property
    def label(self) -> str:
        """What was asked, in two words."""
        return f"{self.method} {self.bare}"

    @property
    def service(self) -> str | None:
        """Whose service it is; None for what is none of a test bed's."""
        begins = (one for start, one in _SERVICES.items() if f"{self.bare}/".startswith(start.rstrip("/") + "/"))
        return next(begins, "smt" if self.bare == "/" else None)

    @property
    def door(self) -> str:
        """Which door of SMT's it comes to."""
        return "portal" if self.bare.startswith(PORTAL) else "api"

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The members of what was asked, if that is a JSON object."""
        found = parsed(self.body)
        return found if isinstance(found, dict) else {}

    @cached_property
    def answered(self) -> dict[str, Any]:
        """The members of what was answered."""
        found = parsed(self.told)
        return found if isinstance(found, dict) else {}

    @property
    def logs_in(self) -> bool:
        """Whether somebody logs in."""
        return self.method == "POST" and self.bare in LOG_INS

    @property
    def borne(self) -> str | None:
        """The token that it bears."""
        scheme, _, token = self.headers.get("authorization", "").strip().partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None

    @property
    def given(self) -> str | None:
        """The token that it is answered."""
        found = self.answered.get("accessToken") or self.answered.get("token")
        return found if isinstance(found, str) and self.logs_in else None
