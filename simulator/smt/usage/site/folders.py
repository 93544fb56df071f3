"""The users' folders of the file site: what those who lay files are handed, and the folders on disk, whoever serves them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

#: A file that is being written ends so; it is nobody's yet.
PART = ".part"


class Folders(Protocol):
    """Where files are laid, each whole or not at all, from any thread."""

    def put(self, username: str, name: str, content: bytes) -> None:
        """Lay a file, in place of one of that name."""

    def add(self, username: str, name: str, content: bytes) -> None:
        """Lay a new file. Raises FileExistsError if something of that name is there."""

    def lay(self, username: str, name: str, content: bytes) -> None:
        """As ``add``; a file of that name and content is the one that was to be laid."""

    def has(self, username: str, name: str) -> bool:
        """Whether something of that name is there."""


class Homes:
    """``Folders`` on disk."""

    def __init__(self, root: Path, usernames: Iterable[str]) -> None:
        """root: the homes are below it, by username; they are made."""
        self._root = root
        for username in usernames:
            self.home(username).mkdir(parents=True, exist_ok=True)

    def home(self, username: str) -> Path:
        """A user's folder."""
        return self._root / username

    def put(self, username: str, name: str, content: bytes) -> None:
        """See ``Folders``."""
        path = self.home(username) / name
        part = path.with_name(name + PART)
        try:
            part.write_bytes(content)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    def add(self, username: str, name: str, content: bytes) -> None:
        """See ``Folders``; safe to call from any process."""
        path = self.home(username) / name
        part = path.with_name(f"{name}.{os.getpid()}-{threading.get_ident()}{PART}")
        try:
            part.write_bytes(content)
            # Unlike a renaming this takes no other's place.
            path.hardlink_to(part)
        finally:
            part.unlink(missing_ok=True)

    def lay(self, username: str, name: str, content: bytes) -> None:
        """See ``Folders``."""
        try:
            self.add(username, name, content)
        except FileExistsError:
            path = self.home(username) / name
            if not path.is_file() or path.read_bytes() != content:
                raise

    def has(self, username: str, name: str) -> bool:
        """See ``Folders``."""
        # Of every file that was ever laid at each posting: a path is made in a quarter of the time that an object of one takes.
        return os.path.exists(f"{self._root}/{username}/{name}")
