"""What other public clients send is answered with what they look for: their requests as data (``public_calls.yaml``)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from simulator.smt.registry.records import Agreement, Entity, EntityKind, User, UserKind
from tests.simulator.smt.rig import HASH, PASSWORD, PLAIN, Nowhere, Rig, registry

CLIENTS: dict[str, Any] = yaml.load(
    Path(__file__).with_name("public_calls.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
)
CSP = "9990000001900"


def at(found: Any, place: str) -> Any:
    """What stands at a dotted name."""
    for part in place.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_public_clients_calls_are_answered_with_what_it_looks_for(tmp_path: Path, name: str) -> None:
    client = CLIENTS[name]
    registered = registry(
        User("home", HASH, UserKind.CUSTOMER, esiids=(PLAIN,), onboarded=True),
        User("csp.1", HASH, UserKind.CSP, CSP, requester_class="csp"),
        entities=[Entity(CSP, "Test Advisors", EntityKind.CSP)],
        agreements=[Agreement(PLAIN, CSP, date(2026, 1, 1), None, "customer")],
    )
    async with Rig(tmp_path, registered=registered, folders=Nowhere()) as rig:
        rig.post_days(count=90)
        user = rig.smt.registry.users[client.get("username", "customer")]
        words = {"esiid": PLAIN, "meter": "200000017", "username": user.username, "duns": user.duns}

        def filled(value: Any) -> Any:
            return json.loads(Template(json.dumps(value)).substitute(words))

        headers = {"host": client["host"]} | filled(client.get("headers", {}))
        login = {"username": user.username, "password": PASSWORD}
        path, token = {
            "portal": ("/commonapi/user/authenticate", "token"),
            "market": ("/v2/token/", "accessToken"),
        }[client["door"]]
        reply = await rig.client.post(path, json=login | {"rememberMe": True}, headers=headers)
        assert reply.status_code == 200, reply.text
        headers["authorization"] = f"{client['scheme']} {reply.json()[token]}"
        for call in client["calls"]:
            if "later" in call:
                await rig.wait(call["later"])
                continue
            body = {"json": filled(call["body"])} if "body" in call else {}
            reply = await rig.client.post(call["path"], headers=headers, **body)
            assert reply.status_code == 200, reply.text
            found = {place: type(at(reply.json(), place)).__name__ for place in call["looks_for"]}
            assert found == call["looks_for"], reply.text[:300]
