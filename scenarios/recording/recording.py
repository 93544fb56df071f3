"""A recording as a whole, as JSON. Nothing in it differs between two runs; an old one can be judged again, a damaged one is refused by its key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import SerializeAsAny, TypeAdapter, ValidationError, ValidationInfo, field_validator

from scenarios.errors import ScenarioError
from scenarios.recording.actions import (
    RecordedAnswers,
    RecordedCall,
    RecordedComplaint,
    RecordedPortalRead,
    RecordedRebill,
    RecordedRequest,
)
from scenarios.recording.journal import JournalNote
from scenarios.recording.ledger import Entry
from scenarios.recording.usage import CallUsages, Usages
from scenarios.recording.values import Record
from scenarios.recording.world import Policy, World
from scenarios.schema import Scenario
from scenarios.timeline import BalanceCall
from simulator.input.mistakes import mistakes_of
from simulator.input.yaml_text import YamlDocument

MALFORMED = "recording.malformed"
#: Raised when a reader of an older recording could misread a newer one.
FORMAT = 3
MEND = "Give the recording.json that a run of this version wrote."

#: What becomes of each kind of action, by its ref.
_ACTIONS: dict[str, TypeAdapter[Any]] = {
    do: TypeAdapter(dict[str, record])  # type: ignore[valid-type]
    for do, record in (
        ("balance_call", RecordedCall),
        ("power_status", RecordedRequest),
        ("on_demand_read", RecordedRequest),
        ("portal_read", RecordedPortalRead),
        ("rebill", RecordedRebill),
        ("same_answers", RecordedAnswers),
        ("complaint", RecordedComplaint),
    )
}


class Recording(Record):
    """The run of one scenario. What a run may lack (a note, an action that was not over) is the verdict's business and no damage."""

    format: Literal[3]
    scenario: Scenario
    world: World
    policy: Policy
    #: What became of each action of the timeline, by its ref: a record of ``_ACTIONS``.
    actions: dict[str, SerializeAsAny[Record]]
    #: SMT's ledger of on-demand requests of the account's ESI ID.
    ledger: list[Entry]
    #: What each party noted, in order.
    journal: list[JournalNote]
    #: Usage of the account's cycle, as known at the first call and after the last posting.
    usage: Usages

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

    @field_validator("usage", mode="before")
    @classmethod
    def _of_the_first_call(cls, written: Any, info: ValidationInfo) -> Any:
        if not isinstance(written, dict) or not {"scenario", "actions"} <= set(info.data):
            return written
        calls = [action.ref for action in info.data["scenario"].timeline if isinstance(action, BalanceCall)]
        over = bool(calls) and calls[0] in info.data["actions"]
        return (CallUsages if over else Usages).model_validate(written)

    def dumps(self) -> str:
        """The recording as text, the same twice."""
        content = self.model_dump(mode="json", exclude_unset=True)
        return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def parse(content: dict[str, Any], place: str = "recording") -> Recording:
    """Read what a recording's JSON holds. Raises ScenarioError naming the key that is missing or damaged."""
    try:
        return Recording.model_validate(content)
    except ValidationError as error:
        first = mistakes_of(error, content, Recording, MALFORMED)[0]
        raise ScenarioError(first.code, first.message, YamlDocument(place, content).where(first.loc), MEND) from None


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
    if content.get("format") != FORMAT:
        raise ScenarioError("recording.format", f"This is no recording of format {FORMAT}.", str(path), MEND)
    return parse(content, str(path))
