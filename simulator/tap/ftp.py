"""What a file site's client commands and is told; of a file its name, octets and digest."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulator.tap.log import Wire, WireLog, encoded

#: A reply or a command that names a port of this run.
_ADDRESS = re.compile(r"\(.*\)")


def ftp_seen(
    log: WireLog, role_of: Callable[[str], str], digest_of: Callable[[Path], str]
) -> Callable[[str, str, str], Callable[[str, Path | None], None]]:
    """What a ``FileSite`` tells its exchanges to. role_of: a user's, by name. digest_of: of a file."""

    def begin(username: str, command: str, about: str) -> Callable[[str, Path | None], None]:
        began = log.begin()
        if command == "PASS":
            about = log.masker.hashed(about.encode())

        def end(told: str, moved: Path | None) -> None:
            code, text = told[:3], told[4:]
            reply: dict[str, Any] = {
                "code": int(code),
                "text": _ADDRESS.sub("(a port)", text) if code in ("227", "229") else text,
            }
            if moved is not None and moved.is_file():
                reply["file"] = {"name": moved.name, "octets": moved.stat().st_size, "sha256": digest_of(moved)}
            ask = {"user": username, "command": command} | ({"about": about} if about else {})
            wire = Wire("ftps", role_of(username), "SMT")
            log.note(wire, began, f'"ids":{{}},"ask":{encoded(ask)},"reply":{encoded(reply)}')

        return end

    return begin
