"""Why a request's body was not taken, in words that say what to send instead: the same for both services."""

from __future__ import annotations

import json
from collections.abc import Callable

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

#: pydantic's codes for "this is no object".
_NO_OBJECT = frozenset({"model_attributes_type", "model_type", "dict_type"})
_HEADER = "content-type: application/json"


def tell_malformed(app: FastAPI, reply: Callable[[str, str], Response]) -> None:
    """Answer bodies at fault by ``reply(place, message)``: the field as the requester names it, or ``body``, and what is wrong with it."""

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        return reply(*fault(request, error))

    @app.exception_handler(UnicodeEncodeError)
    async def surrogates(_request: Request, _error: UnicodeEncodeError) -> Response:
        # JSON can spell a half of a surrogate pair; no database, file or reply can hold it.
        return reply("body", "a text in it is not valid Unicode: it has a lone surrogate such as \\ud800")

    @app.exception_handler(HTTPException)
    async def unreadable(request: Request, error: HTTPException) -> Response:
        # FastAPI's answer to octets that are no text at all.
        if error.status_code == 400:
            return reply("body", "it cannot be read: send a JSON object in UTF-8")
        return await http_exception_handler(request, error)


def fault(request: Request, error: RequestValidationError) -> tuple[str, str]:
    """Place and message of what is wrong with a body."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body")
    if first["type"] == "json_invalid":
        return "body", _not_json(str(error.body), int(first["loc"][-1]), first["ctx"]["error"])
    if place:
        return place, first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return "body", f"there is none: send a JSON object with {_HEADER}"
    if first["type"] in _NO_OBJECT:
        if isinstance(first["input"], bytes):
            came = request.headers.get("content-type")
            declared = f"came as {came[:80]}" if came else "has no content-type"
            return "body", f"it {declared}: send a JSON object with {_HEADER}"
        return "body", f"it is JSON, but not an object: send {{...}}, not {json.dumps(first['input'])[:40]}"
    return "body", first["msg"].removeprefix("Value error, ")


def _not_json(text: str, at: int, why: str) -> str:
    where = json.JSONDecodeError(why, text, at)
    seen = f"before {text[at : at + 20]!r}" if at < len(text) else "at its end"
    return f"it is not JSON: {why}, line {where.lineno} column {where.colno} (char {at}), {seen}"
