"""How the doors document what a call may be answered beside its own reply; the examples are captured, in ``examples.json`` of each door."""

from __future__ import annotations

from typing import Any

from simulator.smt.doors.both.bodies import BusinessErrorReply

#: Of a default sandbox.
ESIID = "10443729924385485"

#: By status: what a call may be answered, as FastAPI's ``responses`` takes it.
Replies = dict[int | str, dict[str, Any]]


def told(description: str, model: Any) -> dict[str, Any]:
    """A reply that the route itself does not tell of."""
    return {"description": description, "model": model}


BAD_BODY = told("The body is not as documented; the message names the field.", BusinessErrorReply)
