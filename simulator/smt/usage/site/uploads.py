"""What becomes of a file that a client sends: it gets its name once and for good, or is kept apart. Blocking, in the file site's thread alone.

A file gets its name when it is renamed from ``<name>.part``, or when its data have ended that were sent under it; until then they lie beside it.
"""

from __future__ import annotations

import io
import weakref
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from headend.day.posting import OTHER_OCTETS, SAME_OCTETS
from simulator.smt.usage.postings import Happened, Postings, digest_of
from simulator.smt.usage.site.folders import PART
from simulator.smt.usage.site.rights import CUT

#: What a client is told whose data ended without a word.
_CUT_OFF = "426 The data ended without close_notify: the file is kept apart and not taken in."
_UNSURE = "226 The data ended without close_notify: the file is unfinished until you rename it."


class RefusedError(Exception):
    """What a client may not do; the message is the reply that it gets."""


class Upload(io.BufferedWriter):
    """A file that is being sent."""

    def __init__(self, path: Path, mode: str, largest: int, final: Path | None) -> None:
        """mode: of FileIO. largest: octets. final: the name that it gets at its end; None where the client renames it."""
        super().__init__(io.FileIO(path, mode))
        self.path = path
        self.final = final
        self._largest = largest
        self.too_large = False

    def write(self, octets: Any) -> int:
        """Write what there may be; the rest is read and thrown away, since a client whose data are not read does not get at the reply."""
        self.too_large = self.too_large or self.tell() + len(octets) > self._largest
        return len(octets) if self.too_large else super().write(octets)


class Uploads:
    """The files that clients send to one site. A file's user is the name of its folder."""

    def __init__(self, largest: int) -> None:
        """largest: octets of a file at most."""
        self._largest = largest
        self._book: Postings | None = None
        self._tell: Callable[[str, Path], object] = lambda _username, _path: None
        #: What is being written, by path.
        self._open: weakref.WeakValueDictionary[Path, Upload] = weakref.WeakValueDictionary()

    def begin(self, book: Postings, tell: Callable[[str, Path], object]) -> None:
        """book: which names were used, and what is to be known of the files. tell: called for each that has its name."""
        self._book, self._tell = book, tell

    def open(self, path: Path, mode: str) -> Upload:
        """Begin to write what a client sends. mode: as of ``open``. Raises RefusedError, OSError."""
        final = None
        if not path.name.endswith(PART):
            if "w" not in mode:
                raise RefusedError(f"550 Only a {PART} is gone on with.")
            path, mode, final = _free(path, PART), "xb", path
        if self._is_open(path):
            raise RefusedError("450 It is being written.")
        upload = self._open[path] = Upload(path, mode.replace("b", ""), self._largest, final)
        return upload

    def name(self, part: Path, final: Path) -> None:
        """Give a file that is whole its name, and tell of it. Raises RefusedError, OSError."""
        if self._is_open(part):
            raise RefusedError("450 It is being written.")
        sent, username = digest_of(part), final.parent.name
        held = self._held(final)
        if held is None:
            # Unlike a renaming this takes no other's place.
            final.hardlink_to(part)
            part.unlink()
            self._tell(username, final)
        elif held == sent:
            self.note(Happened.REPEATED, part, final.name)
            part.unlink()
            raise RefusedError(f"553 Posted already: {SAME_OCTETS} (SHA-256 {sent}).")
        else:
            raise RefusedError(f"553 A name is used once: {OTHER_OCTETS} (SHA-256 {held}).")

    def ended(self, upload: Upload, said_so: bool, told: str) -> str:
        """Close what a client has sent; the reply to it. said_so: its data ended as TLS has them end. told: the reply otherwise."""
        try:
            upload.close()
        except OSError as error:
            said_so, told = False, f"452 {error.strerror}."
        if upload.too_large:
            upload.path.unlink(missing_ok=True)
            return f"552 A file has at most {self._largest} octets: nothing of it is kept."
        done = told.startswith("226")
        if upload.final is None:
            return _UNSURE if done and not said_so else told
        try:
            if done and said_so:
                self.name(upload.path, upload.final)
                return told
            apart = _free(upload.final, CUT)
            upload.path.rename(apart)
            self.note(Happened.CUT, apart)
        except RefusedError as refused:
            upload.path.unlink(missing_ok=True)
            return str(refused)
        except OSError as error:
            return f"452 {error.strerror}."
        return _CUT_OFF if done else told

    def note(self, happened: Happened, path: Path, name: str = "") -> None:
        """Note what happened to a file. A database that is away keeps nobody from fetching or being refused."""
        assert self._book is not None
        with suppress(OSError, SQLAlchemyError):
            self._book.note(happened, path.parent.name, name or path.name, digest_of(path), path.stat().st_size)

    def _is_open(self, path: Path) -> bool:
        upload = self._open.get(path)
        return upload is not None and not upload.closed

    def _held(self, final: Path) -> str | None:
        """SHA-256 of what was posted under a name; None for a name that is free. Raises RefusedError, OSError."""
        assert self._book is not None
        if final.is_file():
            return digest_of(final)
        try:
            return self._book.posted_digest(final.parent.name, final.name)
        except SQLAlchemyError:
            raise RefusedError("451 It cannot be looked up whether the name was used. Try again.") from None


def _free(path: Path, ending: str) -> Path:
    """A path beside another that nothing lies at: with a number and an ending."""
    beside = (path.with_name(f"{path.name}.{number}{ending}") for number in count(1))
    return next(one for one in beside if not one.exists())
