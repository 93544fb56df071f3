"""What was asked at SMT's market API and how it was answered, read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from scenarios.actions.exchange import code_of
from simulator.tap.chain import Exchange

TOKEN, READS, ODR, STATUS, POWER = (
    f"/v2/{name}/" for name in ("token", "15minintervalreads", "odr", "odrstatus", "powerstatus")
)


@dataclass(frozen=True, slots=True)
class Said:
    """An exchange with SMT's market API, read."""

    exchange: Exchange
    ask: dict[str, Any]
    reply: dict[str, Any] | None

    @property
    def path(self) -> str:
        """What it asked, with a slash at its end."""
        return str(self.exchange.ask["path"]).rstrip("/") + "/"

    @property
    def status(self) -> int:
        """HTTP status; 0 for none."""
        return int(self.exchange.reply.get("status", 0))

    @property
    def code(self) -> str | None:
        """The code of what was wrong."""
        return code_of(self.reply)

    @property
    def filed(self) -> bool:
        """Whether it is a request that SMT took, or refused by its throttle."""
        reply = self.reply or {}
        return (
            self.path in (ODR, POWER)
            and self.status == 200
            and bool(reply.get("correlationId") or reply.get("refusal"))
        )


def object_of(body: Any) -> dict[str, Any] | None:
    try:
        told = json.loads(body) if isinstance(body, str) else None
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def said_of(one: Exchange) -> Said:
    """An exchange read."""
    return Said(one, object_of(one.ask.get("body")) or {}, object_of(one.reply.get("body")))
