"""The shape of every error a user can cause: a code, a sentence, the place, the mend.

Each room raises its own subclass; the front door prints them on one line and never shows a traceback.
"""

from __future__ import annotations

import re

#: The number in the text of a library that hands on an operating system's error.
_NUMBER = re.compile(r"\[errno -?\d+\] ", re.IGNORECASE)


class UserError(Exception):
    """An error with a stable code that tells what is wrong, where, and how to mend it.

    code: dotted lower-case id, ``meters.esiid.unknown``. message: one sentence. place: file:line, field or ESI ID.
    mend: what the user can do about it. exit_code: of a command that it ends; 2 is that it could not run.
    """

    exit_code = 2

    def __init__(self, code: str, message: str, place: str = "", mend: str = "") -> None:
        """Keep the four parts; the text form puts them on one line.

        All four are positional too: simpy makes an exception anew from its ``args`` when it leaves the environment.
        """
        super().__init__(code, message, place, mend)
        self.code = code
        self.message = message
        self.place = place
        self.mend = mend

    def __str__(self) -> str:
        """Give one line: ``code: place: message. mend``."""
        text = f"{self.code}: {self.place}: {self.message}" if self.place else f"{self.code}: {self.message}"
        return f"{text} {self.mend}" if self.mend else text


def reason(error: Exception) -> str:
    """What the operating system, or a library, says of a failure: words without its number, ``No such file or directory``; one line, no full stop."""
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return _NUMBER.sub("", said.splitlines()[0]).rstrip(".")


class MeterError(UserError):
    """A bad input to the meters' room: identity, load, faults, register map, gateway."""
