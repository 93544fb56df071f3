"""The keys of a link in a file that its parties share: the first that needs it makes it, and nobody else may read it."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headend.http.links import LinkKeys
from simulator.errors import SimulatorError

#: In the folder of the party that makes it.
KEYS = "keys.json"
_MEND = "Name a file that another party's ready line tells as keys_file, or one that is not there yet: it is made."

_Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~+/=-]{16,256}$")]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    smt: _Key
    headend: _Key
    meters: _Key
    control: _Key


def kept_keys(file: Path, option: str = "--keys") -> LinkKeys:
    """The keys of a file, which is made if there is none. Raises SimulatorError ``keys.*`` naming the option, and never a key."""
    return read_keys(file, option, make=True)


def read_keys(file: Path, option: str = "--keys", *, make: bool = False) -> LinkKeys:
    """The keys of a file that is there. Raises as ``kept_keys`` does."""
    place = f"{option} {file}"
    try:
        if make:
            _make(file)
        with file.open(encoding="utf-8") as opened:
            kept = os.fstat(opened.fileno())
            text = opened.read()
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "it is no text"
        raise SimulatorError("keys.unreadable", f"The keys cannot be read or made: {what}.", place, _MEND) from None
    if kept.st_uid not in (0, os.geteuid()):
        raise SimulatorError("keys.open", "The keys are another user's, who can read them.", place, _MEND)
    mode = stat.S_IMODE(kept.st_mode)
    if mode & 0o077:
        what = f"Others than its owner may read or write the keys (mode {mode:04o})."
        raise SimulatorError("keys.open", what, place, f"chmod 600 {file}; if others have read it, remove it.")
    try:
        return LinkKeys(**_File.model_validate_json(text).model_dump())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        what = f"This is no file of keys: {field}: {first['msg']}."
        raise SimulatorError("keys.malformed", what, place, _MEND) from None


def _make(file: Path) -> None:
    """Make the file, whole and never readable by others, unless another process was quicker."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent) as part, contextlib.suppress(FileExistsError):
        json.dump(asdict(LinkKeys.make()), part, indent=1)
        part.flush()
        os.link(part.name, file)


def warn_open(party: str) -> None:
    """Say on standard error that a party asks nobody for a key."""
    print(f"links.open: {party} asks nobody for a key (--open-links).", file=sys.stderr, flush=True)
