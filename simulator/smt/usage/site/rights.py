"""Who may do what at the file site, by role and kind of path, and which names may be given there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from pathlib import Path

from headend.lse.writer import RESULT_SUFFIX
from simulator.smt.registry.records import User, UserKind
from simulator.smt.usage.site.folders import PART

#: What an upload that was cut off is kept under.
CUT = ".cut"
#: Octets of a name at most, so that what SMT lays beside it can be named too. A default of this project.
LONGEST_NAME = 200


class PathKind(Enum):
    """What a path is, as rights go."""

    FOLDER = auto()
    #: Unfinished, ``<name>.part``.
    PART = auto()
    #: Under its name; a file that lies there is never written or renamed, whoever asks.
    WHOLE = auto()


#: pyftpdlib's letters: e enter, l list, r fetch, w write, a append, f rename. Nobody deletes. Who is not named has no account.
_OUTBOX = {PathKind.FOLDER: "el", PathKind.PART: "", PathKind.WHOLE: "lr"}
RIGHTS: Mapping[UserKind, Mapping[PathKind, str]] = {
    UserKind.TDSP: {PathKind.FOLDER: "el", PathKind.PART: "lrwaf", PathKind.WHOLE: "lrwf"},
    UserKind.ROR: _OUTBOX,
    UserKind.CSP: _OUTBOX,
}


def with_folder(users: Iterable[User]) -> list[str]:
    """Names of the users who have a folder at the file site."""
    return [user.username for user in users if user.kind in RIGHTS]


def rights(kind: UserKind, path: Path, home: Path) -> str:
    """What a user may do with a path: letters of ``RIGHTS``."""
    of_kind = RIGHTS.get(kind, {})
    if path == home:
        return of_kind.get(PathKind.FOLDER, "")
    return of_kind.get(PathKind.PART if path.name.endswith(PART) else PathKind.WHOLE, "")


def no_name(path: Path, home: Path) -> str:
    """Why a file may not be given a name, whether or not it was used; empty if it may. ``<name>.part`` goes by its name."""
    name = path.name.removesuffix(PART)
    if path.parent != home:
        return "Files lie in the folder itself"
    if not name or not name.isprintable() or len(name.encode()) > LONGEST_NAME:
        return f"A name has 1 to {LONGEST_NAME} printable octets"
    if name.endswith((RESULT_SUFFIX, CUT, PART)):
        return f"Names that end in {RESULT_SUFFIX}, {CUT} or {PART} are not given"
    return ""
