"""The connectivity test: whether each endpoint of a system is reached, and takes the key or the log-in that it was given. It comes before any step."""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx

from headend.http.links import LinkKeys, bearing
from scenarios.certify.started import reached


class Reached(NamedTuple):
    """An endpoint, and what came of it."""

    what: str
    well: bool
    said: str

    def to_json(self) -> dict[str, Any]:
        """As it is recorded."""
        return self._asdict()


async def inquiries_reached(url: str, keys: LinkKeys, within_s: float) -> list[Reached]:
    """Whether a head-end listens, and takes the key of the link: what is no inquiry is refused for what it is, and not for who sends it."""
    if not await reached(url, within_s):
        return [Reached("endpoints.inquiries", False, f"nobody listens after {within_s:g} s")]
    found = [Reached("endpoints.inquiries", True, "somebody listens")]
    try:
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as http:
            reply = await http.post(f"{url}/inquiries", content="{}", headers=bearing(keys.smt))
    except httpx.HTTPError as error:
        return [*found, Reached("keys.smt", False, f"POST /inquiries gets no reply: {type(error).__name__}")]
    status = reply.status_code
    well = 400 <= status < 500 and status not in (401, 403, 404, 405)
    return [
        *found,
        Reached("keys.smt", well, f"POST /inquiries with SMT's key and no inquiry is answered HTTP {status}"),
    ]
