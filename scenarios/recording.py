"""A recording: what a scenario's run left behind, as JSON. Nothing in it differs between two runs; an old one can be judged again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scenarios.errors import ScenarioError

#: Raised when a reader of an older recording could misread a newer one.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Recording:
    """The run of one scenario. Everything is a JSON value; instants ISO 8601 in Central time unless in ``journal`` (epoch seconds)."""

    scenario: dict[str, Any]
    #: ESI ID of the account, meters, faults as the ledger has them.
    world: dict[str, Any]
    policy: dict[str, Any]
    #: What became of each action of the timeline, by its ref.
    actions: dict[str, dict[str, Any]]
    #: SMT's ledger of on-demand requests: key, call reference, history of states, meter reads.
    ledger: list[dict[str, Any]]
    #: What each party noted, in order.
    journal: list[dict[str, Any]]
    #: Usage of the account's cycle for the charts: ends, wh, quality, as known at the first call and after the last posting.
    usage: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    def dumps(self) -> str:
        """The recording as text, the same twice."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        part = path.with_name(path.name + ".part")
        part.write_text(self.dumps(), encoding="utf-8")
        part.replace(path)


def load(path: Path) -> Recording:
    """Read a recording. Raises ScenarioError naming the file."""
    mend = "Give the recording.json that a run wrote."
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(
            "recording.unreadable", f"The recording cannot be read: {error.strerror}.", str(path), mend
        ) from None
    except ValueError:
        raise ScenarioError("recording.malformed", "This is not JSON.", str(path), mend) from None
    if not isinstance(written, dict) or written.get("format") != FORMAT:
        raise ScenarioError("recording.format", f"This is no recording of format {FORMAT}.", str(path), mend)
    try:
        return Recording(**written)
    except TypeError as error:
        raise ScenarioError("recording.malformed", f"{error}.", str(path), mend) from None
