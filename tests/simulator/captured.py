"""The examples of the OpenAPI documents: ``captured.yaml`` played on sandboxes on the manual clock, and what came back, as JSON.

What differs between two runs has fixed words: tokens, ports. A long list shows its ends, a long text its beginning,
and both say so.
"""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import yaml
from sqlalchemy.exc import OperationalError

import headend.service
import simulator.ror.desk
import simulator.smt.doors
from headend.day.times import DailyTimes
from headend.ports import HeadEndError
from headend.service.health import PostingFailure, PostingWatch
from headend.vee.preset import PostTime
from meters import SEED
from meters.calendar import Seconds, epoch, local, to_us
from meters.device.special import special_esiid
from simulator.parties.ror import AGENT
from simulator.parties.sandbox import DeskSettings, Sandbox, SandboxSettings
from simulator.ror.account import Account
from simulator.ror.accounts.book import Customer
from simulator.ror.billing.plan import RatePlan
from simulator.ror.desk.calls import DeskLimits
from simulator.ror.errors import RorError
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.database.seat import Loss, SeatLostError
from simulator.smt.ondemand.inquiries import CALL_BACKS
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.throttle.decision import Policy
from simulator.smt.throttle.policy import parse_policy, preset
from simulator.world.meters import World, build, default_world

SCRIPT = yaml.load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
DOORS, HEADEND, DESK = (Path(room.__path__[0]) for room in (simulator.smt.doors, headend.service, simulator.ror.desk))
#: The folder of each operation's examples, by the first word of its path.
FOLDERS = {
    "v2": DOORS / "market",
    "api": DOORS / "portal",
    "commonapi": DOORS / "portal",
    "control": DOORS / "control",
    "callbacks": DOORS,
    "non-vee": DOORS,
    "healthz": DOORS,
    "inquiries": HEADEND,
    "events": HEADEND,
    "collection": HEADEND,
    "batches": HEADEND,
    "calls": DESK,
    "accounts": DESK,
}
#: Of a step that says so.
SERVICES = {"headend": HEADEND, "ror": DESK}
#: Where a sandbox listens by default, and what a token and the end of a call-back's address look like.
SMT_URL, HEADEND_URL = "http://127.0.0.1:8600", "http://127.0.0.1:8610"
CALL_BACK = CALL_BACKS + "/{correlationId}/{seal}"
SEAL = "9f2c51d0e7a84b36" * 4
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0ZXN0YmVkIn0.c2lnbmF0dXJl"
#: Entries of a list and lines of a text that are shown whole, and characters of a line.
ENTRIES, LINES, WIDTH = 3, 3, 160
JSON = "application/json"
_GONE = OperationalError("SELECT 1", {}, Exception("away"))
_NOT_KEPT = HeadEndError("headend.inquiry.not_kept", "The inquiry cannot be kept: OperationalError.")
_NO_CYCLE = RorError(
    "ror.account.no_cycle",
    "No billing cycle of account A-0006 is known on 2026-08-12.",
    "A-0006",
    "Complete reading_days.csv: a day before and one after it.",
)
_NOT_POSTED = PostingFailure(
    at=local(epoch("2026-08-12T07:30")),
    file="1039940674000IntervalData20260812073000001.lse",
    code="headend.posting.refused",
)
_AT = Customer.at


def _dear(customer: Customer, now: Seconds) -> tuple[Account, RatePlan]:
    """An account as it is, for which no read is worth it."""
    account, plan = _AT(customer, now)
    return account.model_copy(update={"worth_asking": Decimal(1000)}), plan


#: What breaks for one call, by the word of the script.
BREAKAGES: dict[str, Callable[[Sandbox], AbstractContextManager[object]]] = {
    "fault": lambda sandbox: patch.object(sandbox.smt.ledger, "entry", side_effect=RuntimeError),
    "dispatcher": lambda sandbox: patch.object(sandbox.smt.seat, "dispatcher_alive", return_value=False),
    "database": lambda sandbox: patch.object(sandbox.smt.ledger, "open_counts", side_effect=_GONE),
    "seat": lambda sandbox: patch.object(sandbox.smt.seat, "dispatcher_alive", side_effect=SeatLostError(Loss.TAKEN)),
    "store": lambda sandbox: patch.object(sandbox.headend_store.collected, "touch", side_effect=_GONE),
    "inquiries": lambda sandbox: patch.object(type(sandbox.headend.desk), "accept", side_effect=_NOT_KEPT),
    "posting": lambda sandbox: patch.object(
        sandbox.headend.health, "_watch", PostingWatch(sandbox.journal, _NOT_POSTED)
    ),
    "room": lambda sandbox: patch.object(sandbox.ror and sandbox.ror.desk, "limits", DeskLimits(under_way=1)),
    "disk": lambda _: patch.object(Path, "open", side_effect=OSError),
    "dear": lambda _: patch.object(Customer, "at", _dear),
    "cycle": lambda _: patch.object(Customer, "at", side_effect=_NO_CYCLE),
}


class Play:
    """Plays steps on a running sandbox, and keeps the exchanges that are to be shown."""

    def __init__(self, sandbox: Sandbox, http: httpx.AsyncClient) -> None:
        #: By folder, operation and name.
        self.kept: dict[Path, dict[str, dict[str, Any]]] = {}
        self._sandbox, self._http = sandbox, http
        self._values = _values(sandbox)
        self._fixed = {sandbox.smt_server.url: SMT_URL, sandbox.headend_server.url: HEADEND_URL}
        self._tokens: dict[str, str] = {}
        assert sandbox.ror is not None
        self._bases = {HEADEND: sandbox.headend_server.url, DESK: sandbox.ror.server.url}
        #: What the parties sent each other, by path and correlation id.
        self._wire: dict[tuple[str, str], tuple[Any, int, Any]] = {}
        sandbox.http.event_hooks = {"response": [self._heard]}

    async def _heard(self, reply: httpx.Response) -> None:
        await reply.aread()
        body = json.loads(reply.request.content)
        path, key = reply.request.url.path, body.get("correlationId", "")
        path = CALL_BACK if path.startswith(CALL_BACKS) else path
        self._wire[path, key] = body, reply.status_code, reply.json()
        if key:
            self._fixed[self._sandbox.keys.seal(key)] = SEAL

    async def play(self, steps: list[dict[str, Any]]) -> None:
        """Play one step after the other; the model's processes go on in between, unless they are held."""
        going = self._going()
        for step in steps:
            if "held" in step:
                await _ended(going)
            elif "go_on" in step:
                going = self._going()
            elif "later" in step:
                await self._sandbox.runtime.run_until(self._sandbox.runtime.now() + step["later"])
            elif "log_in" in step:
                reply = await self._call({"call": f"POST {step['at']}", "name": "token"} | step)
                self._tokens[step["log_in"]] = reply[step["field"]]
            elif "wire" in step:
                self._sent(step)
            elif "malformed" in step:
                await self._malformed(step)
            else:
                await self._call(step)
        await _ended(going)

    def _going(self) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(self._sandbox.runtime.serve())

    def _sent(self, step: dict[str, Any]) -> None:
        path = step["wire"].replace(CALL_BACKS, CALL_BACK)
        body, status, answer = self._wire[path, self._values[step["of"]] if "of" in step else ""]
        if "save" in step:
            self._values[f"${step['save']}"] = body
        folder = FOLDERS[step["wire"].split("/")[1]]
        self._keep(step, folder, f"POST {path}", body, status, JSON, answer)

    async def _malformed(self, step: dict[str, Any]) -> None:
        """A field, a header, a text that is not as documented."""
        call = {"call": f"POST {step['malformed']}", "place": step["place"]}
        await self._call(step | call | {"name": "field", "told": "A field"})
        await self._call(call | {"name": "content-type", "told": "The header is missing"}, data={"ESIID": "1"})
        headers = {"content-type": JSON}
        await self._call(call | {"name": "not JSON", "told": "It is not JSON"}, content=b'{"a": }', headers=headers)

    async def _call(self, step: dict[str, Any], **sent: Any) -> Any:
        method, path = step["call"].replace(CALL_BACKS, CALL_BACK).split(" ")
        first = path.split("/")[1].partition("?")[0]
        folder = SERVICES[step["service"]] if "service" in step else FOLDERS[first]
        base = self._bases.get(folder, "")
        keys = self._sandbox.keys
        tokens = (
            self._tokens
            | dict.fromkeys(("callbacks", "non-vee"), keys.headend)
            | {"inquiries": keys.smt, "events": keys.meters}
        )
        tokens["collection"] = tokens["batches"] = tokens["findings"] = keys.smt
        token = step.get("token", tokens.get(first))
        headers = {"authorization": f"Bearer {token}"} if token else {}
        if folder == DESK:
            agent = step.get("token", f"{AGENT.username}:{AGENT.password}")
            headers = {"authorization": f"Basic {base64.b64encode(agent.encode()).decode()}"}
        body = self._filled(step["body"]) | self._filled(step.get("with", {})) if "body" in step else None
        if path == CALL_BACK:
            key = body.get("correlationId", "1") if body else "1"
            path = path.format(correlationId=key, seal=keys.seal(self._filled(step.get("sealed", key))))
        sent = {"json": body} | sent if body is not None else sent
        sent["headers"] = headers | sent.get("headers", {})
        with BREAKAGES[step["broken"]](self._sandbox) if "broken" in step else nullcontext():
            for _ in range(step.get("repeat", 1)):
                reply = await self._http.request(method, base + path, **sent)
        media = reply.headers["content-type"].partition(";")[0]
        answer = reply.json() if media == JSON else reply.text
        for name, field in step.get("save", {}).items():
            self._values[f"${name}"] = answer[field]
        place = step.get("place", step["call"]).replace(CALL_BACKS, CALL_BACK)
        self._keep(step, folder, place, body, reply.status_code, media, answer)
        for code, changed in step.get("errors", {}).items():
            of = {"name": f"error {code}", "told": f"Business error {code}"}
            await self._call({"call": step["call"], "body": body, "with": changed} | of)
        return answer

    def _filled(self, node: Any) -> Any:
        """A value of the script with what its ``$`` names stand for."""
        if isinstance(node, dict):
            return {key: self._filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self._filled(value) for value in node]
        return self._values[node] if isinstance(node, str) and node.startswith("$") else node

    def _keep(
        self, step: dict[str, Any], folder: Path, place: str, body: Any, status: int, media: str, answer: Any
    ) -> None:
        if not step.keys() & {"asked", "told"}:
            return
        kept: dict[str, Any] = {}
        for summary, side, value in (("asked", "request", body), ("told", "reply", answer)):
            shown, short = _shortened(value)
            if summary in step:
                kept[summary] = step[summary] + short
            if value is not None:
                kept[side] = shown
            if side == "request":
                kept["status"] = status
        text = json.dumps(kept | ({} if media == JSON else {"media": media}))
        fixed = self._fixed | dict.fromkeys(self._tokens.values(), TOKEN) | _token_in(step, answer)
        for word, instead in fixed.items():
            text = text.replace(word, instead)
        named = self.kept.setdefault(folder, {}).setdefault(place, {})
        assert step["name"] not in named, f"{place} has two {step['name']}"
        named[step["name"]] = json.loads(text)


def _token_in(step: dict[str, Any], answer: Any) -> dict[str, str]:
    return {answer[step["field"]]: TOKEN} if "log_in" in step else {}


async def _ended(going: asyncio.Task[None]) -> None:
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)


def _values(sandbox: Sandbox) -> dict[str, Any]:
    """What the names of the script stand for: the meters of a default sandbox."""
    world: World = sandbox.settings.world

    def noted(word: str) -> str:
        return next(esiid for esiid, _, note in sandbox.market.notes if word in note)

    ordinals = {"first": 1, "second": 2, "third": 3, "fourth": 4, "sixth": 6, "foreign": 21}
    return {f"${name}": world.esiid(ordinal) for name, ordinal in ordinals.items()} | {
        "$all": [world.esiid(ordinal) for ordinal in range(1, 41)],
        "$fourth_number": world.meters[3].identity.meter_number,
        "$dead": noted("dead"),
        "$unprovisioned": noted("provisioned"),
        "$de_energized": noted("de-energised"),
        "$gasped": special_esiid(world.tdsp, 12),
    }


def _shortened(node: Any) -> tuple[Any, str]:
    """What is shown of a value, and what is to be said of that."""
    if isinstance(node, str) and (node.count("\n") > LINES or (node.startswith("<") and len(node) > WIDTH)):
        return "\n".join([*(line[:WIDTH] for line in node.splitlines()[:LINES]), "..."]), " (here its beginning)"
    if isinstance(node, list) and len(node) > ENTRIES:
        return [_shortened(one)[0] for one in (node[0], node[-1])], f" (here the first and the last of {len(node)})"
    if not isinstance(node, dict):
        return node, ""
    parts = {key: _shortened(value) for key, value in node.items()}
    return {key: value for key, (value, _) in parts.items()}, next((said for _, said in parts.values() if said), "")


@asynccontextmanager
async def _sandbox(out: Path, now: str, days: int, policy: Policy, times: DailyTimes) -> AsyncIterator[Play]:
    at = epoch(now)
    settings = SandboxSettings(
        world=build(default_world(date(2026, 8, 12), date(2026, 8, 11), 40, days, special=True), SEED, at),
        clock=Clock(ClockMode.MANUAL, to_us(at)),
        policy=policy,
        middle=FixedMiddle(18, 52),
        out=out,
        times=times,
        history=True,
        wall=lambda: float(at),
        desk=DeskSettings(),
    )
    async with (
        Sandbox(settings) as sandbox,
        httpx.AsyncClient(base_url=sandbox.smt_server.url, timeout=30.0, trust_env=False) as http,
    ):
        yield Play(sandbox, http)


async def _captured(out: Path, scene: str) -> dict[Path, dict[str, dict[str, Any]]]:
    if scene == "night":
        policy = parse_policy("captured", SCRIPT["policy"], place="captured.yaml")
        at = "2026-08-12T00:10", 5, policy, DailyTimes(time(0, 1), PostTime(time(0, 5)))
    else:
        at = "2026-08-12T17:40", 37, preset("fr-cr016-1"), DailyTimes()
    async with _sandbox(out, *at) as played:
        await played.play(SCRIPT[scene])
    return played.kept


def captured(scene: str) -> dict[Path, dict[str, dict[str, Any]]]:
    """What a part of the script gives each file, by place and name."""
    with tempfile.TemporaryDirectory() as out:
        return asyncio.run(_captured(Path(out), scene))


def written() -> dict[Path, str]:
    """Each file's text."""
    kept: dict[Path, dict[str, dict[str, Any]]] = {}
    for scene in ("afternoon", "night"):
        for folder, places in captured(scene).items():
            for place, named in places.items():
                kept.setdefault(folder, {}).setdefault(place, {}).update(named)
    return {folder / "examples.json": json.dumps(places, indent=1) + "\n" for folder, places in kept.items()}
