"""What the OpenAPI documents of portal and market API are made with: named examples, replies, and the bodies that both have.

The ESI ID is of a default sandbox, so a copied example works there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.errors import BAD_FIELD, BusinessError

ESIID = "10443729924385485"

Examples = dict[str, Any]
#: By status: what a call may be answered, as FastAPI's ``responses`` takes it.
Replies = dict[int | str, dict[str, Any]]


def told(examples: Examples, description: str = "", model: Any = None) -> dict[str, Any]:
    """A reply for FastAPI's ``responses``: named examples, and where the route does not say it, the model."""
    reply: dict[str, Any] = {"content": {"application/json": {"examples": examples}}}
    if description:
        reply["description"] = description
    if model is not None:
        reply["model"] = model
    return reply


def also(reply: dict[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """The same reply, which may also come as one of these media types; each with an example."""
    content = {media: {"schema": {"type": "string"}, "example": example} for media, example in files.items()}
    return reply | {"content": reply["content"] | content}


def one(summary: str, value: Any) -> dict[str, Any]:
    """One named example."""
    return {"summary": summary, "value": value}


def business(*codes_and_filled: tuple[str, tuple[object, ...]]) -> Examples:
    """Business errors by their codes, with what their sentences leave open."""
    examples = {}
    for code, filled in codes_and_filled:
        error = BusinessError(code, *filled)
        examples[f"error {code}"] = one(f"Business error {code}", error.told())
    return examples


BAD_BODY: Examples = {
    "field": one("A field", {"errorCode": BAD_FIELD, "errorMessage": "ESIID: Field required"}),
    "content-type": one(
        "The header is missing",
        {
            "errorCode": BAD_FIELD,
            "errorMessage": "body: it came as application/x-www-form-urlencoded: "
            "send a JSON object with content-type: application/json",
        },
    ),
    "not JSON": one(
        "It is not JSON",
        {
            "errorCode": BAD_FIELD,
            "errorMessage": "body: it is not JSON: Expecting value, line 1 column 12 (char 11), before '}'",
        },
    ),
}
BAD_BODY_TOLD = told(BAD_BODY, "The body is not as documented; the message names the field.", BusinessErrorReply)
#: 100 slots of an ordinary day: the four of the repeated hour (8 to 11) are empty.
RD = ",".join([*[".198-A"] * 8, *[""] * 4, *[".141-A"] * 87, ".205-E"])
ENERGY_DAY = {"DT": "08/11/2026", "RevTS": "08/12/2026 07:30:00", "RT": "C", "RD": RD}
