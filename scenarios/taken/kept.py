"""Exchanges of a file that a run of ours wrote, and the actions of a recording of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from meters.calendar import Micros, to_s
from scenarios.actions.table import ACTIONS
from scenarios.evidence import Evidence
from scenarios.parts.expected import INSTANT, Expectation, Fact, Places
from scenarios.recording import Recording
from scenarios.run_wide import FACTS
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
    entries = {one.ref: n for n, one in enumerate(recording.scenario.timeline, 1)}
    accounts = dict(zip(recording.scenario.cast, names.accounts, strict=False))
    for n, action in enumerate(recording.scenario.timeline, 1):
        row = ACTIONS[action.do]
        seen = row.seen(Evidence(recording, action.account), action)
        at = seen.evidence.at(action)
        if seen.record is None:
            left.append(Left(at, n, action.do, "it was not over when the recording ended"))
            continue
        account = accounts.get(recording.scenario.account_of(action).account_id)
        if account is None:
            left.append(Left(at, n, action.do, "the world that it is to be played in has no account for it"))
            continue
        written = action.model_dump(mode="json", exclude_defaults=True, serialize_as_any=True)
        for name in ("at", "after", "after_s", "ref", "expect", "account"):
            written.pop(name, None)
        named = {name: entries[written[name]] for name in _REFS if written.get(name) in entries}
        said = dict(written)
        meter = recording.scenario.account_of(action).meter
        said |= {name: names.carried(said[name], meter, template=True) for name in _WRITTEN if name in said}
        if any(name.lower() == "authorization" for name in written.get("headers", ())):
            said["headers"]["Authorization"] = DEAD
        if account is not names.accounts[0]:
            said["account"] = account["account_id"]
        ends = {one.name: _plain(one.got(seen)) for one in row.facts if one.name in (*_ENDS, *row.required)}
        said["expect"] = _held(row.facts, action.expect, seen, names) | {name: one for name, one in ends.items() if one is not None}  # fmt: skip
        carried.append(Carried(at, n, said, named=named))
    refs = {one.ref: ref_of(one.do, entries[one.ref]) for one in recording.scenario.timeline}
    return Mapped(carried, left, 0, [] if left else list(_beyond(recording, refs, names)))


def _beyond(recording: Recording, refs: Mapping[str, str], names: Names) -> Iterator[dict[str, Any]]:
    """What was expected beyond one action, as far as it was so."""
    evidence = Evidence(recording)
    actions = {one.ref: one for one in recording.scenario.timeline}
    for n, one in enumerate(recording.scenario.expect, 1):
        said: dict[str, Any] = {"ref": f"expected-{n}"}
        if run := _held(FACTS, one.run, evidence, names):
            said["run"] = run
        if one.of is not None:
            row, action = ACTIONS[actions[one.of].do], actions[one.of]
            seen = row.seen(Evidence(recording, action.account), action)
            if of := _held(row.facts, row.any_of.model_validate(one.expect), seen, names):
                said |= {"of": refs[one.of], "expect": of}
        if one.never is not None and not one.happened(evidence):
            said["never"] = one.never
            if one.between:
                said["between"] = [names.instant(it) if isinstance(it, datetime) else refs[it] for it in one.between]
        if len(said) > 1:
            yield said | ({"verifies": list(one.verifies)} if one.verifies else {})


def _held(facts: Sequence[Fact], expected: Expectation, seen: Any, names: Names) -> dict[str, Any]:
    """What was expected and was so, by fact; without what names somebody, and places of a document. Of an instant, where days are not moved."""
    found = {}
    for fact in facts:
        form = expected.forms.get(fact.name)
        if form is None or isinstance(form, Places) or (fact.form is INSTANT and names.shift):
            continue
        written = form.model_dump(mode="json")
        if not names.tells(fact.name, written) and all(holds for _, _, holds in form.looked(fact.got(seen))):
            found[fact.name] = written
    return found


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
