"""A text that a user writes, read whole, whatever stands at its path."""

from __future__ import annotations

import errno
from pathlib import Path

#: No file that is read whole is longer: a device has no end.
MOST_OCTETS = 256 * 2**20
#: Octets that are read at once.
_PART = 2**20


def whole_text(path: Path) -> str:
    """The text of a file, without a byte order mark. Raises OSError for what cannot be read, is too long, or a link that leads nowhere; UnicodeDecodeError."""
    if path.is_symlink() and not path.exists():
        raise OSError(errno.ENOLINK, "it is a link that leads nowhere", str(path))
    octets = bytearray()
    with path.open("rb") as file:
        # Whoever asks a file for as much as it may have is given room for all of that.
        while len(octets) <= MOST_OCTETS and (part := file.read(_PART)):
            octets += part
    if len(octets) > MOST_OCTETS:
        raise OSError(errno.EFBIG, f"it is longer than {MOST_OCTETS // 2**20} MiB", str(path))
    return octets.decode("utf-8-sig")
