"""Exchanges of a file that a run of ours wrote, and the actions of a recording of ours."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from meters.calendar import Micros, to_s
from scenarios.actions.table import ACTIONS
from scenarios.evidence import Evidence
from scenarios.recording import Recording
from scenarios.taken.exchange import Exchange
from scenarios.taken.mapped import DEAD, Carried, Left, Mapped
from scenarios.taken.names import Names
from simulator.tap.chain import exchanges

#: Wires on which users of the parties ask. On the others parties ask each other, which they do in a replay by themselves.
USERS = ("market", "portal", "desk", "control", "pages")
#: Facts that tell how an action ended, for whoever saw it from outside.
_ENDS = ("outcome", "status", "http_status", "code", "refusal", "error", "became", "found", "let_in")
#: Fields of an action that name another one.
_REFS = ("of", "token", "lift")
#: Fields that carry what was written by hand.
_WRITTEN = ("path", "headers", "body")


def wire_exchanges(path: Path) -> tuple[list[Exchange], Counter[str]]:
    """The exchanges of users, and how many there are on each wire of the parties' own."""
    others: Counter[str] = Counter()

    def aside(_at: Micros, wire: str) -> bool:
        others[wire] += wire not in USERS
        return wire not in USERS

    found = []
    for one in exchanges(path, aside):
        ask, reply = one.ask, one.reply
        query = f"?{ask['query']}" if ask.get("query") else ""
        body, told = ask.get("body"), reply.get("body")
        found.append(
            Exchange(
                one.n,
                to_s(one.at_us),
                ask["method"],
                ask["path"] + query,
                ask["headers"],
                body if isinstance(body, str) else None,
                reply.get("status"),
                told if isinstance(told, str) else None,
                cut=isinstance(body, dict),
            )
        )
    found.sort(key=lambda one: (one.at, one.n))
    return found, others


def recorded(recording: Recording, names: Names) -> Mapped:
    """The actions of a recording, each expecting what it came to."""
    carried: list[Carried] = []
    left: list[Left] = []
    refs = {one.ref: ref_of(one.do, n) for n, one in enumerate(recording.scenario.timeline, 1)}
    accounts = dict(zip(recording.scenario.cast, names.accounts, strict=False))
    for n, action in enumerate(recording.scenario.timeline, 1):
        row = ACTIONS[action.do]
        seen = row.seen(Evidence(recording, action.account), action)
        at = seen.evidence.at(action)
        if seen.record is None:
            left.append(Left(at, n, action.do, "it was not over when the recording ended"))
            continue
        written = action.model_dump(mode="json", exclude_defaults=True, serialize_as_any=True)
        for name in ("at", "after", "after_s", "ref", "verifies", "expect", "account"):
            written.pop(name, None)
        said = {name: refs.get(one, one) if name in _REFS else one for name, one in written.items()}
        meter = recording.scenario.account_of(action).meter
        said |= {name: names.carried(said[name], meter, template=True) for name in _WRITTEN if name in said}
        if any(name.lower() == "authorization" for name in written.get("headers", ())):
            said["headers"]["Authorization"] = DEAD
        account = accounts[recording.scenario.account_of(action).account_id]
        if account is not names.accounts[0]:
            said["account"] = account["account_id"]
        ends = {one.name: _plain(one.got(seen)) for one in row.facts if one.name in (*_ENDS, *row.required)}
        said["expect"] = {name: one for name, one in ends.items() if one is not None}
        carried.append(Carried(at, n, said))
    return Mapped(carried, left, 0)


def ref_of(do: str, number: int) -> str:
    """The name of the so-manieth action."""
    return f"{do.replace('_', '-')}-{number}"


def _plain(found: Any) -> Any:
    match found:
        case Decimal():
            return str(found)
        case tuple():
            return [_plain(one) for one in found]
        case bool() | int() | str():
            return found
        case _:
            return None
