"""ESI IDs of which SMT has loaded nothing for a day, asked of a running one: as a tester, or as a TDSP or REP of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import httpx
from pydantic import ValidationError

from headend.http.foreign import document
from headend.http.links import bearing
from meters.errors import UserError, reason
from simulator.smt.doors.both.missing import MissingTold

_CODE = "lse.missing"
_TIMEOUT_S = 60.0
#: ESI IDs of a group that are told, unless all are asked for.
_MOST = 10


def ask(smt: str, day: date, key: str = "", login: tuple[str, str] | None = None) -> MissingTold:
    """What an SMT lacks of a day. smt: its base URL. key: for /control, if it asks for one. login: of a TDSP or REP, which is told of its own.

    Raises UserError if it cannot be asked, or does not tell.
    """
    try:
        with httpx.Client(base_url=smt, timeout=_TIMEOUT_S, trust_env=False) as client:
            if login is not None:
                reply = client.post("/v2/token/", json={"username": login[0], "password": login[1]})
                key = str(_told(reply, smt).get("accessToken", ""))
            path = "/control/missing" if login is None else "/v2/missing/"
            reply = client.get(path, params={"day": day.isoformat()}, headers=bearing(key) if key else {})
            return MissingTold.model_validate(_told(reply, smt))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        says = f"SMT cannot be asked: {reason(error)}."
        raise UserError(f"{_CODE}.away", says, smt, "Give the smt_url of its ready line.") from None
    except ValidationError:
        raise UserError(f"{_CODE}.strange", "It does not answer as SMT does.", smt, "Look at the address.") from None


def lines(told: MissingTold, *, every: bool) -> Iterator[str]:
    """What is missing, by TDSP and ROR. every: all the ESI IDs that were told."""
    lacks = sum(group.missing for group in told.groups)
    over = "" if told.over else " (it is not over)"
    yield f"{told.day}{over}: {lacks:,} of {sum(group.expected for group in told.groups):,} ESI IDs are not loaded"
    for group in told.groups:
        ror = f"{group.rorName or 'no REP of record'} {group.ror or ''}".rstrip()
        yield f"{group.tdspName} {group.tdsp}, {ror}: {group.missing:,} of {group.expected:,}"
        shown = group.esiids if every else group.esiids[:_MOST]
        yield from (f"  {esiid}" for esiid in shown)
        if group.missing > len(shown):
            yield f"  {group.missing - len(shown):,} more" + ("" if every else ": --all tells them")


def _told(reply: httpx.Response, smt: str) -> dict[str, object]:
    try:
        body = document(reply.content)
    except ValueError:
        body = None
    if reply.status_code == 200 and isinstance(body, dict) and "errorCode" not in body:
        return body
    said = body.get("error") or body.get("errorMessage") or body.get("message") if isinstance(body, dict) else ""
    mend = "Give --login of a TDSP or REP, or --keys with the key of /control."
    if reply.status_code == 404:
        mend = "Give the smt_url of the ready line: a head-end has no such page."
    raise UserError(f"{_CODE}.refused", f"SMT said {reply.status_code}: {said or 'nothing readable'}", smt, mend)
