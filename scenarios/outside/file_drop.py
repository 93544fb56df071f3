"""The file site of an SMT that is not ours, as its TDSP and its retailers see it: by FTPS, or a folder in its place."""

from __future__ import annotations

import asyncio
import time
from hashlib import sha256

from headend.day import posting
from headend.lse.writer import RESULT_SUFFIX
from headend.ports import HeadEndError
from scenarios.outside.party import OutsideSmt
from simulator.parties.headend import EXCHANGE_S, in_thread
from simulator.tap.log import Began, Wire, WireLog, encoded
from simulator.world.market import Login

#: Wall seconds between two looks whether a file is answered.
_LOOK_S = 0.05
_TDSP, _ROR = Wire("files", "TDSP", "SMT"), Wire("files", "ROR", "SMT")


class FileDrop:
    """Where files of the TDSP go. patience_s: wall seconds for the answer to one."""

    def __init__(self, smt: OutsideSmt, tdsp: Login, patience_s: float, log: WireLog | None) -> None:
        """log: notes what was posted and how it was answered."""
        self._smt, self._tdsp, self._patience_s, self._log = smt, tdsp, patience_s, log

    async def post(self, name: str, content: bytes, ref: str = "") -> bytes:
        """Post a file and wait for its result codes. Raises HeadEndError. ref: of the action that posts it."""
        began = self._log.begin() if self._log else None
        await in_thread(lambda: self._lay(name, content))
        told, until = None, time.monotonic() + self._patience_s
        while told is None and time.monotonic() < until:
            told = await in_thread(lambda: self._answer(name))
            await asyncio.sleep(_LOOK_S if told is None else 0)
        self._note(
            began,
            _TDSP,
            ref,
            f"STOR {name}",
            {"error": "it is not answered"} if told is None else {"body": told.decode()},
        )
        if told is None:
            text = f"It is not answered in {self._patience_s:g} s: there is no {name}{RESULT_SUFFIX}."
            raise HeadEndError("headend.posting.not_answered", text, name, "Answer each file that is posted.")
        return told

    async def lying(self, owner: Login, ref: str) -> list[tuple[str, bytes]]:
        """What lies in a retailer's folder, by name. ref: of the action that looks."""
        began = self._log.begin() if self._log else None
        found = await in_thread(lambda: self._lying(owner))
        told = "".join(f"{name} {sha256(content).hexdigest()}\n" for name, content in found)
        self._note(began, _ROR, ref, "LIST /", {"body": told})
        return found

    def _note(self, began: Began | None, wire: Wire, ref: str, what: str, reply: dict[str, str]) -> None:
        if self._log and began:
            method, _, path = what.partition(" ")
            asked, told = {"method": method, "path": path, "headers": {}}, {"status": 226} | reply
            ids = encoded({"callReference": ref} if ref else {})
            self._log.note(wire, began, f'"ids":{ids},"ask":{encoded(asked)},"reply":{encoded(told)}')

    def _site(self, of: Login) -> posting.FtpsSite:
        assert self._smt.ftps is not None
        host, port, ca_file = self._smt.ftps
        return posting.FtpsSite(host, port, of.username, of.password, ca_file, timeout_s=EXCHANGE_S)

    def _lay(self, name: str, content: bytes) -> None:
        if self._smt.inbox is None:
            posting.upload(self._site(self._tdsp), name, content)
            return
        part = self._smt.inbox / f"{name}{posting.PART}"
        part.write_bytes(content)
        part.rename(self._smt.inbox / name)

    def _answer(self, name: str) -> bytes | None:
        file = f"{name}{RESULT_SUFFIX}"
        if self._smt.inbox is not None:
            path = self._smt.inbox / file
            return path.read_bytes() if path.is_file() and path.stat().st_size else None
        site = self._site(self._tdsp)
        return posting.download(site, file) if file in posting.names(site) else None

    def _lying(self, owner: Login) -> list[tuple[str, bytes]]:
        if self._smt.inbox is not None:
            folder = self._smt.inbox / owner.duns
            return [(one.name, one.read_bytes()) for one in sorted(folder.glob("*"))] if folder.is_dir() else []
        site = self._site(owner)
        return [(name, posting.download(site, name)) for name in posting.names(site)]
