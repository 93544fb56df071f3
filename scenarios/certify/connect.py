"""The connectivity test: whether each endpoint of a system is reached, and takes the key or the log-in that it was given. It comes before any step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from headend.http.foreign import document
from headend.http.links import LinkKeys, bearing
from scenarios.actions.market.exchange import MARKET_TOKEN, PORTAL_TOKEN
from scenarios.certify.observed import RECORDING
from scenarios.certify.started import reached
from scenarios.recording import WIRE, load
from simulator.tap.chain import exchanges
from simulator.world.market import Login


class Reached(NamedTuple):
    """An endpoint, and what came of it."""

    what: str
    well: bool
    said: str
    #: Whether the steps are of no use without it.
    needed: bool = True

    def to_json(self) -> dict[str, Any]:
        """As it is recorded."""
        return {"what": self.what, "well": self.well, "said": self.said}


def wires_seen(folder: Path, names: Mapping[str, str]) -> list[Reached]:
    """Whether each wire of two systems carries something, in the step of that. names: of the systems, by role."""
    recording = load(folder / RECORDING)
    came = Counter((one.wire, "status" in one.reply) for one in exchanges(folder / WIRE))
    bills = sum(getattr(one, "bill", None) is not None for one in recording.actions.values())
    rep, tdsp = names["ror"], names["headend"]
    counts = {
        f"{rep} to the market": (came["market", True], "calls of SMT", True),
        f"the market to {tdsp}": (came["inquiries", True], "inquiries answered", True),
        f"{tdsp} to the market": (came["call-backs", True], "call-backs", False),
        f"{rep} to its customer": (bills, "bills", False),
    }
    return [Reached(what, bool(n), f"{of}: {n}", needed) for what, (n, of, needed) in counts.items()]


async def modbus_reached(url: str, within_s: float) -> list[Reached]:
    """Whether a meter's gateway listens; who is behind it, its first reading tells."""
    well = await reached(url, within_s)
    return [Reached("endpoints.modbus", well, "somebody listens" if well else f"nobody listens after {within_s:g} s")]


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


async def api_reached(url: str, login: Login, within_s: float) -> list[Reached]:
    """Whether an SMT listens, and lets a retailer of ours in."""
    return await _lets_in(url, login, within_s, ("api", "ror"), MARKET_TOKEN, "accessToken")


async def portal_reached(url: str, login: Login, within_s: float) -> list[Reached]:
    """Whether an SMT's portal listens, and lets a customer of ours in."""
    return await _lets_in(url, login, within_s, ("portal", "customer"), PORTAL_TOKEN, "token")


async def _lets_in(
    url: str, login: Login, within_s: float, what: tuple[str, str], path: str, field: str
) -> list[Reached]:
    """what: the endpoint, and whose log-in it is. field: which the token is told in."""
    endpoint, whose = f"endpoints.{what[0]}", f"logins.{what[1]}"
    if not await reached(url, within_s):
        return [Reached(endpoint, False, f"nobody listens after {within_s:g} s")]
    found = [Reached(endpoint, True, "somebody listens")]
    said = {"username": login.username, "password": login.password}
    try:
        async with httpx.AsyncClient(timeout=10.0, trust_env=False) as http:
            reply = await http.post(f"{url}{path}", json=said)
        token = document(reply.content).get(field)
    except (httpx.HTTPError, ValueError, AttributeError) as error:
        return [*found, Reached(whose, False, f"POST {path} gets no token: {type(error).__name__}")]
    told = f"POST {path} is answered HTTP {reply.status_code}{'' if token else f' without {field}'}"
    return [*found, Reached(whose, bool(token), told)]
