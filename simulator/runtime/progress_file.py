"""How far something is that takes long, as lines of JSON in a file: whoever waits for it reads them while it goes on."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from simulator.errors import SimulatorError


class ProgressFile:
    """A file of lines, each written whole; without a name nothing is written."""

    def __init__(self, path: Path | None, option: str = "--progress") -> None:
        """option: that names the file. Raises SimulatorError ``progress.unusable`` for one that cannot be written."""
        self._file = None
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            text, mend = f"The file cannot be written: {error.strerror}.", f"Name another with {option}."
            raise SimulatorError("progress.unusable", text, str(path), mend) from None

    def __enter__(self) -> ProgressFile:
        """It is open."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Say how it ended, and close."""
        if self._file is not None:
            self.tell("ended", error=_why(kind, error) if kind is not None else "")
            self._file.close()

    def tell(self, event: str, **facts: Any) -> None:
        """Write a line."""
        if self._file is not None:
            self._file.write(json.dumps({"event": event, **facts}) + "\n")
            self._file.flush()


def _why(kind: type[BaseException], error: BaseException | None) -> str:
    """In words; of a signal nobody knows the number."""
    return "It was stopped." if issubclass(kind, KeyboardInterrupt) else str(error or "") or kind.__name__


def read_progress(path: Path) -> list[dict[str, Any]]:
    """The whole lines so far; none of a file that is not there."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError):
        return []
    found = []
    for line in lines:
        # The last one may still be on its way.
        if line.endswith("\n"):
            try:
                one = json.loads(line)
            except ValueError:
                continue
            found += [one] if isinstance(one, dict) and isinstance(one.get("event"), str) else []
    return found
