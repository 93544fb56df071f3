"""Bodies that cannot be read: what the requester is told to send instead."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, model_validator

from headend.http.malformed import tell_malformed

JSON = "application/json"
SEND = "send a JSON object with content-type: application/json"


class Asked(BaseModel):
    name: str
    parts: dict[str, int] = {}

    @model_validator(mode="after")
    def _not_both(self) -> Asked:
        if self.name in self.parts:
            raise ValueError("a part is called as the whole")
        return self


def app() -> FastAPI:
    made = FastAPI()

    @made.post("/things")
    async def things(asked: Asked) -> Any:
        if asked.name == "gone":
            raise HTTPException(410, "It is gone.")
        return JSONResponse({"name": asked.name})

    tell_malformed(made, lambda place, message: JSONResponse({place: message}, 400))
    return made


async def told(content: bytes, content_type: str | None) -> tuple[int, Any]:
    headers = {} if content_type is None else {"content-type": content_type}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="http://x") as http:
        reply = await http.post("/things", content=content, headers=headers)
    return reply.status_code, reply.json()


@pytest.mark.parametrize(
    ("content", "content_type", "place", "message"),
    [
        (b'{"name":"1"}', None, "body", f"it has no content-type: {SEND}"),
        (b'{"name":"1"}', "text/plain", "body", f"it came as text/plain: {SEND}"),
        (b'{"name":"1"}', "text/" + 99 * "x", "body", f"it came as text/{75 * 'x'}: {SEND}"),
        (b"", JSON, "body", f"there is none: {SEND}"),
        (b'{"name": "1",\n "parts": }', JSON, "body", "it is not JSON: Expecting value, line 2 column 11 (char 24), before '}'"),
        (b"{", JSON, "body", "it is not JSON: Expecting property name enclosed in double quotes, line 1 column 2 (char 1), at its end"),
        (b"[1, 2]", JSON, "body", "it is JSON, but not an object: send {...}, not [1, 2]"),
        (b"\xff\xfe\xff", JSON, "body", "it cannot be read: send a JSON object in UTF-8"),
        (b'{"name": "\\ud800"}', JSON, "body", "a text in it is not valid Unicode: it has a lone surrogate such as \\ud800"),
        (b"{}", JSON, "name", "Field required"),
        (b'{"name": "1", "parts": {"a": "x"}}', JSON, "parts.a", "Input should be a valid integer, unable to parse string as an integer"),
        (b'{"name": "a", "parts": {"a": 1}}', JSON, "body", "a part is called as the whole"),
    ],
)  # fmt: skip
async def test_a_body_at_fault_names_its_place_and_what_to_send(
    content: bytes, content_type: str | None, place: str, message: str
) -> None:
    assert await told(content, content_type) == (400, {place: message})


async def test_what_a_call_refuses_itself_is_no_fault_of_the_body() -> None:
    assert await told(b'{"name": "gone"}', JSON) == (410, {"detail": "It is gone."})
