"""A recording as a whole, as JSON. Nothing in it differs between two runs; an old one can be judged again, a damaged one is refused by its key."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError, ValidationInfo, field_validator, model_validator

from scenarios.actions.table import ACTIONS
from scenarios.errors import ScenarioError
from scenarios.evidence import Recorded
from scenarios.file.schema import Scenario
from scenarios.records.values import Record
from simulator.input.mistakes import mistakes_of
from simulator.input.yaml_text import YamlDocument

MALFORMED = "recording.malformed"
#: Raised when a reader of an older recording could misread a newer one.
FORMAT = 4
#: Every exchange of a run, beside its recording.
WIRE = "wire.jsonl"
MEND = "Give the recording.json that a run of this version wrote."

#: What becomes of each kind of action, by its ref.
_ACTIONS: dict[str, TypeAdapter[Any]] = {do: TypeAdapter(dict[str, row.record]) for do, row in ACTIONS.items()}  # type: ignore[name-defined]


class Recording(Recorded):
    """A recording with the scenario that was played, each action with the record of its kind."""

    scenario: Scenario

    @field_validator("actions", mode="before")
    @classmethod
    def _by_what_was_done(cls, written: Any, info: ValidationInfo) -> Any:
        if not isinstance(written, dict) or "scenario" not in info.data:
            return written
        records: dict[str, Record] = {}
        for action in info.data["scenario"].timeline:
            if action.ref in written:
                records |= _ACTIONS[action.do].validate_python({action.ref: written[action.ref]})
        return written | records

    @model_validator(mode="after")
    def _whole(self) -> Self:
        lost = [one for one in self.scenario.cast if one not in self.world.accounts]
        # A call leaves its usage when it is over.
        calls = [one.ref for one in self.scenario.timeline if one.do == "balance_call" and one.ref in self.actions]
        if self.first_call_alone:
            calls = calls[:1]
        lost = [f"world.accounts.{one}" for one in lost] + [f"usage.{one}" for one in calls if one not in self.usage]
        if lost:
            raise ValueError(f"the key {lost[0]} is missing")
        return self

    def dumps(self) -> str:
        """The recording as text, the same twice."""
        content = self.model_dump(mode="json", exclude_unset=True)
        return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def digest_of(text: str) -> str:
    """SHA-256 of a text, hexadecimal."""
    return sha256(text.encode()).hexdigest()


def parse(content: dict[str, Any], place: str = "recording") -> Recording:
    """Read what a recording's JSON holds. Raises ScenarioError naming the key that is missing or damaged."""
    try:
        return Recording.model_validate(content)
    except ValidationError as error:
        first = mistakes_of(error, content, Recording, MALFORMED)[0]
        raise ScenarioError(first.code, first.message, YamlDocument(place, content).where(first.loc), MEND) from None


def upgraded(old: dict[str, Any]) -> dict[str, Any]:
    """A recording of format 3 as one of this: one account, usage of its first call alone, each expectation of its own kind."""
    scenario, world = old.get("scenario"), old.get("world")
    if not isinstance(scenario, dict) or not isinstance(world, dict):
        return old | {"format": FORMAT}
    timeline = [_expecting(action) for action in scenario.get("timeline") or []]
    calls = [action["ref"] for action in timeline if action.get("do") == "balance_call"]
    usage = {calls[0]: old["usage"]} if calls and old.get("usage") else {}
    its = {name: value for name, value in world.items() if name not in ("tdsp", "meters", "faults")}
    return {
        **old,
        "format": FORMAT,
        "scenario": scenario | {"timeline": timeline},
        "world": {name: value for name, value in world.items() if name not in its}
        | {"accounts": {(scenario.get("account") or {}).get("account_id"): its}},
        "ledger": [entry | {"esiid": its.get("esiid")} for entry in old.get("ledger") or []],
        "usage": usage,
        "first_call_alone": True,
    }


def _expecting(action: dict[str, Any]) -> dict[str, Any]:
    """An action of format 3 with its expectation in today's words."""
    expect = {name: value for name, value in (action.get("expect") or {}).items() if value is not None}
    if "code" in expect:
        expect["refusal" if expect["outcome"] == "refused" else "error"] = expect.pop("code")
    return action | {"expect": expect}


def load(path: Path) -> Recording:
    """Read a recording's file. Raises ScenarioError naming the file, and the key that is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(
            "recording.unreadable", f"The recording cannot be read: {error.strerror}.", str(path), MEND
        ) from None
    except (ValueError, RecursionError):
        raise ScenarioError(MALFORMED, "This is not JSON.", str(path), MEND) from None
    own = set(Recording.model_fields) - {"format", "scenario", "policy"}
    if not isinstance(content, dict) or not own & set(content):
        what = "a result" if isinstance(content, dict) and "steps" in content else "something else"
        raise ScenarioError(MALFORMED, f"This is {what}, not a recording.", str(path), MEND)
    if content.get("format") == 3:
        content = upgraded(content)
    if content.get("format") != FORMAT:
        raise ScenarioError("recording.format", f"This is no recording of format {FORMAT}.", str(path), MEND)
    return parse(content, str(path))
