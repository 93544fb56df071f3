"""What a command prints for people, and where a newcomer begins by it: nothing is known but that text."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.simulator.processes import ending, line, started

_LAST = "Ctrl-C stops it."


class LogIn(NamedTuple):
    """Somebody's, as it is printed."""

    username: str
    password: str


class Printed(NamedTuple):
    """The text of a command that is ready."""

    text: str

    def words(self, name: str) -> str:
        """What stands behind a name, up to what explains it."""
        found = re.search(rf"^ *{re.escape(name)}:? +(.+?)(?:   |$)", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]

    def log_in(self, role: str) -> LogIn:
        """Of a role: the last line of that name, since a part may be called so too."""
        return LogIn(*re.findall(rf"^ *{role} +(\S+) / (\S+)", self.text, re.MULTILINE)[-1])

    def esiid(self, note: str) -> str:
        """The ESI ID that something special is said of."""
        found = re.search(rf"^ *(\d{{17}}) .*{re.escape(note)}", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]


@contextmanager
def printed(*words: str) -> Iterator[Printed]:
    """A command that serves: what it prints until it is ready. Ctrl-C has ended it afterwards, and well."""
    process = started(*words)
    with ending(process, by=signal.SIGINT):
        assert process.stdout is not None
        lines = [line(process)]
        while _LAST not in lines[-1]:
            assert lines[-1], process.stderr.read() if process.stderr else ""
            # All of it is printed at once.
            lines.append(process.stdout.readline())
        yield Printed("".join(lines))
    assert process.poll() == 0
