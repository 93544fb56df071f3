"""What a file site's client commands and is told, at the site's end or the client's; of a file its name, octets and digest."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from meters.errors import UserError
from simulator.tap.log import Began, Wire, WireLog, encoded

Upload = Callable[[str, bytes], Awaitable[bool]]
Download = Callable[[str], Awaitable[bytes]]
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


def posted(log: WireLog, username: str, upload: Upload) -> Upload:
    """The uploads of one who posts to another's file site: each is noted as a whole."""

    async def noted(name: str, content: bytes) -> bool:
        began, reply = log.begin(), {"error": "broken off"}
        try:
            new = await upload(name, content)
            reply = {"text": "posted" if new else "it was there already"}
            return new
        except UserError as error:
            reply = {"error": error.code}
            raise
        finally:
            _whole(log, began, username, "upload", name, content, reply)

    return noted


def fetched(log: WireLog, username: str, download: Download) -> Download:
    """The downloads of one who fetches from another's file site."""

    async def noted(name: str) -> bytes:
        began, content, reply = log.begin(), b"", {"error": "broken off"}
        try:
            content = await download(name)
            reply = {"text": "fetched"}
            return content
        except UserError as error:
            reply = {"error": error.code}
            raise
        finally:
            _whole(log, began, username, "download", name, content, reply)

    return noted


def _whole(
    log: WireLog, began: Began, username: str, command: str, name: str, content: bytes, reply: dict[str, str]
) -> None:
    moved = {"name": name, "octets": len(content), "sha256": sha256(content).hexdigest()}
    ask = {"user": username, "command": command, "about": name}
    told = f'"ids":{{}},"ask":{encoded(ask)},"reply":{encoded(reply | {"file": moved})}'
    log.note(Wire("ftps", "TDSP", "SMT"), began, told)
