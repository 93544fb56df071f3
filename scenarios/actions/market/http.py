"""``http``: any call, as it is written, at SMT, at the head-end or at the retailer's desk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from scenarios.actions.action import Played, Row
from scenarios.actions.market.exchange import AT, CODE, HEADER, STATUS, Answer, answer, bearer, filled, sent, tell
from scenarios.outside.party import PORTAL
from scenarios.parts.setting import Act, Setting
from scenarios.parts.written import Name

if TYPE_CHECKING:
    import httpx

    from scenarios.stage import Stage


class Http(Act):
    """Any HTTP call, as it is written."""

    to: Literal["smt", "headend", "desk"] = Field(default="smt", description="Whose service; desk is the first ROR's.")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = "POST"
    path: str = Field(
        pattern=r"^/", description="With the query. $esiid, $esiid_2, $meter_number, $today stand for the run's."
    )
    login: str | None = Field(
        default=None,
        description="Whose token is borne: a log-in of SMT's; at the head-end a key of the link, smt or meters; at the desk the agent's, desk.agent. None unless given.",
    )
    token: Name | None = Field(default=None, description="The ref of the log_in whose token is borne.")
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = Field(default=None, description="Text goes as it is, anything else as JSON.")

    def by(self, scenario: Setting) -> str:  # noqa: ARG002
        """The log-in that acts."""
        return self.login or ""

    def logins(self, known: list[str]) -> list[str]:
        """The log-ins that can be borne, of those that SMT knows."""
        return {"headend": ["smt", "meters"], "desk": ["desk.agent"]}.get(self.to, known)


def _play(stage: Stage, action: Http) -> Played:
    async def call() -> httpx.Response | None:
        headers = await _borne(stage, action) | {
            name: filled(stage, action, one) for name, one in action.headers.items()
        }
        body = filled(stage, action, action.body)
        if body is not None and not isinstance(body, str):
            body, headers = json.dumps(body), {"Content-Type": "application/json"} | headers
        return await sent(
            stage.http,
            action.method,
            stage.url(action.to) + filled(stage, action, action.path),
            headers=headers,
            content=body,
        )

    reply = yield stage.runtime.io("http", action.ref, call, lane="smt")
    return answer(stage, action, reply)


async def _borne(stage: Stage, action: Http) -> dict[str, str]:
    if action.token is not None:
        return {"Authorization": f"Bearer {stage.kept.get(action.token)}"}
    if action.login is None:
        return {}
    if action.to == "smt":
        return await bearer(stage, action.login, portal=action.path.startswith(PORTAL))
    return stage.key(action.login)


ROWS = (Row("http", "HTTP call", Http, Answer, _play, (STATUS, CODE, AT, HEADER), tell),)
