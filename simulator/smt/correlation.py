"""The digits that a request is followed by: they follow from content, never from order."""

from __future__ import annotations

import hashlib
import json


def digits(*content: object) -> str:
    """Twelve digits that follow from content alone, as a correlation id looks."""
    digest = hashlib.blake2b(json.dumps(content).encode(), digest_size=8).digest()
    return str(10**11 + int.from_bytes(digest, "big") % (9 * 10**11))
