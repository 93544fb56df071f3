"""What was done to a bed, as a scenario: an archive of its calls is made, and read as any archive is that a tester brings."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.console.bed import Bed, BedProblem, Call
from scenarios.errors import ScenarioError
from scenarios.file.shipped import SCENARIOS
from scenarios.taken.taken import take
from simulator.smt.throttle.policy import preset_names
from simulator.web.parts import Problem

#: Whose world the scenario is played in: the bed's own meters are of no file.
LIKE = Path("gap-of-17-h-30")
#: Mends in the words of the page, where the command's name an option.
_MENDS = {"from.name": "Write small letters, digits and hyphens into the field Name, at most 64."}
#: Of what is switched on, by the path below which it lies.
_NUMBERED = {"/control/faults": "fault", "/control/complaints": "complaint"}


async def as_scenario(bed: Bed, name: str) -> tuple[str, list[str]]:
    """The text of the scenario, and what could not be carried. Raises BedProblem where nothing was done that a scenario can do."""
    calls, left = _renumbered(_carried(bed.calls))
    entries = [_entry(one, bed.url) for one in calls]
    entries += [one for call in calls if (one := await _end_of(bed, call)) is not None]
    with tempfile.TemporaryDirectory() as folder:
        # The name is what somebody typed: it is no part of a path.
        har, out = Path(folder) / "done.har", Path(folder) / "scenario.yaml"
        like = Path(folder) / LIKE.with_suffix(".yaml")
        like.write_text(
            _under(SCENARIOS.named(LIKE).read_text("utf-8"), (await bed.get("/control/bed"))["policy"]), "utf-8"
        )
        har.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}), encoding="utf-8")
        try:
            taken = take(har, out, name, like, None)
        except ScenarioError as error:
            mend = _MENDS.get(error.code, error.mend) or "Do something with the test bed first."
            raise BedProblem(400, Problem(error.code, error.message, mend)) from None
        return out.read_text(encoding="utf-8"), [*left, *taken.told]


def said_no(call: Call) -> bool:
    """Whether SMT said with 200 that it will not: nothing has changed by that."""
    return isinstance(call.told, dict) and "errorCode" in call.told


def _carried(calls: Sequence[Call]) -> list[Call]:
    """What came to something; of log-ins those whose token was borne by it."""
    done = [one for one in calls if one.ok and not said_no(one)]
    borne = {one.headers["authorization"] for one in done if "authorization" in one.headers}
    return [one for one in done if one.path != "/v2/token/" or f"Bearer {one.told.get('accessToken')}" in borne]


def _under(text: str, policy: str) -> str:
    """The scenario under the bed's own throttle, where that is one that comes with the product."""
    return re.sub(r"^policy: .*$", f"policy: {policy}", text, flags=re.MULTILINE) if policy in preset_names() else text


def _renumbered(calls: Sequence[Call]) -> tuple[list[Call], list[str]]:
    """The calls as they are in a bed where nothing was done before: what is switched off is what was switched on here."""
    ids: dict[str, str] = {}
    counts: dict[str, int] = {}
    found: list[Call] = []
    left: list[str] = []
    for one in calls:
        base, _, ident = one.path.rpartition("/")
        if one.method == "POST" and one.path in _NUMBERED:
            counts[one.path] = counts.get(one.path, 0) + 1
            ids[str(one.told["id"])] = f"{_NUMBERED[one.path]}-{counts[one.path]}"
        elif one.method == "DELETE" and base in _NUMBERED:
            if ident not in ids:
                left.append(f"{ident} was switched off, which was on before: it is not carried.")
                continue
            one = _at(one, f"{base}/{ids[ident]}")
        found.append(one)
    return found, left


def _at(call: Call, path: str) -> Call:
    return Call(call.number, call.at, call.method, path, call.body, call.status, call.told, call.curl, call.headers)


def _entry(call: Call, url: str) -> dict[str, Any]:
    """A call as HTTP archives have it."""
    asked: dict[str, Any] = {
        "method": call.method,
        "url": url + call.path,
        "headers": [{"name": name, "value": value} for name, value in call.headers.items()],
    }
    if call.body is not None:
        asked["postData"] = {"mimeType": "application/json", "text": json.dumps(call.body)}
        asked["headers"].append({"name": "content-type", "value": "application/json"})
    return {
        "startedDateTime": call.at,
        "request": asked,
        "response": {"status": call.status, "content": {"mimeType": "application/json", "text": json.dumps(call.told)}},
    }


async def _end_of(bed: Bed, call: Call) -> dict[str, Any] | None:
    """How a request of the market API ended, as a look at its status just after that would have told."""
    key = call.told.get("correlationId") if call.path in _ASKS and isinstance(call.told, dict) else None
    if not key or not re.fullmatch(r"\d{1,64}", str(key)):
        return None
    lives = (await bed.get("/control/requests", {"correlationId": str(key)}))["requests"]
    last = next((one for life in lives for one in reversed(life["transitions"]) if one["state"] in _ENDS), None)
    if last is None:
        return None
    told = {
        "correlationId": key,
        "statusCode": "0" if last["state"] == "completed" else "1",
        "statusReason": last["state"].upper().replace("_", "-"),
    }
    if last["refusal"]:
        told["refusal"] = last["refusal"]
    status = Call(
        call.number, last["at"], "POST", "/v2/odrstatus/", {"correlationId": key}, 200, told, "", call.headers
    )
    return _entry(status, bed.url)


#: Calls of the market API that ask for a read or a power status, and the states that one ends in.
_ASKS = ("/v2/odr/", "/v2/powerstatus/")
_ENDS = ("completed", "refused", "failed", "t_failed", "expired")
