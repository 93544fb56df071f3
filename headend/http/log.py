"""Structured logs: one JSON object a line through the standard library's logging. No body, header, token or password is ever handed to it.

Every line has ``time`` (wall) and ``event``; what concerns one request carries its ``correlation_id``, and where known ``trans_id`` and ``call_reference``.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from headend.ports import HeadEndError

LOG = logging.getLogger("ami")


def tell(event: str, **facts: Any) -> None:
    """Write one line; nothing when nobody listens. facts: JSON values; empty ones are left out."""
    if LOG.isEnabledFor(logging.INFO):
        LOG.info(event, extra={"facts": {key: value for key, value in facts.items() if value not in ("", None)}})


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """See ``logging.Formatter``."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), "event": record.getMessage()}
        return json.dumps(line | getattr(record, "facts", {}), ensure_ascii=False, default=str)


@contextmanager
def logging_to(target: str) -> Iterator[None]:
    """Log to a file (added to), to standard error (``-``), or nowhere (empty).

    Standard output is left to what a command prints. Raises HeadEndError ``log.unusable`` for a file that cannot be written.
    """
    if not target:
        yield
        return
    try:
        handler = logging.StreamHandler(sys.stderr) if target == "-" else logging.FileHandler(target, encoding="utf-8")
    except OSError as error:
        raise HeadEndError(
            "log.unusable", f"The log cannot be written: {error.strerror}.", target, "Name another file with --log."
        ) from None
    handler.setFormatter(JsonLines())
    before = LOG.level, LOG.propagate
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.level, LOG.propagate = before
        handler.close()
