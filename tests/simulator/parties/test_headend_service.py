"""The head-end's door: what it does not take, and how it says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headend.http.links import bearing
from tests.simulator.sandboxes import rig


async def test_an_inquiry_that_cannot_be_taken_is_told_with_its_place(tmp_path: Path) -> None:
    async with rig(tmp_path, posted_days=1) as made:
        url = f"{made.sandbox.headend_server.url}/inquiries"

        async def told(content: bytes, content_type: str = "application/json") -> tuple[int, Any]:
            reply = await made.http.post(
                url, content=content, headers=bearing(made.sandbox.keys.smt) | {"content-type": content_type}
            )
            return reply.status_code, reply.json()

        form = await told(b"{}", "text/plain")
        broken = await told(b'{"kind": POWER}')
        lacking = await told(b"{}")
    assert form == (
        400,
        {
            "code": "headend.inquiry.malformed",
            "message": "it came as text/plain: send a JSON object with content-type: application/json.",
            "place": "body",
        },
    )
    message = "it is not JSON: Expecting value, line 1 column 10 (char 9), before 'POWER}'."
    assert (broken[0], broken[1]["message"]) == (400, message)
    assert (lacking[0], lacking[1]["place"]) == (400, "correlationId")
