"""Exchanges of an HTTP archive (HAR 1.2), as browsers and proxies export it."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from meters.calendar import seconds
from scenarios.errors import ScenarioError
from scenarios.taken.exchange import Exchange


def har_exchanges(content: dict[str, Any], place: str) -> list[Exchange]:
    """The entries in the order of their times. Raises ScenarioError naming the entry that is none, or has no time."""
    log = content["log"]
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise ScenarioError("from.unknown", "This HAR has no list of entries.", place, "Export it anew.")
    return sorted((_exchange(n, one, place) for n, one in enumerate(entries, 1)), key=lambda one: (one.at, one.n))


def _exchange(n: int, entry: Any, place: str) -> Exchange:
    try:
        began = datetime.fromisoformat(entry["startedDateTime"])
        if began.tzinfo is None:
            raise ValueError
        at = seconds(int(began.timestamp()))
    except (KeyError, TypeError, ValueError, OverflowError):
        text = "It has no startedDateTime with an offset, so that nothing can be played at its time."
        raise ScenarioError("from.no_time", text, f"{place}: entry {n}", "Export the archive with its times.") from None
    try:
        asked, told = entry["request"], entry["response"]
        url = urlsplit(asked["url"])
        headers = {str(one["name"]).lower(): str(one["value"]) for one in asked.get("headers") or ()}
        addresses = (url.netloc, entry.get("serverIPAddress"), headers.get("host"))
        return Exchange(
            n,
            at,
            str(asked["method"]).upper(),
            (url.path or "/") + (f"?{url.query}" if url.query else ""),
            headers,
            _posted(asked.get("postData")),
            int(told["status"]) or None,
            _content(told.get("content") or {}),
            tuple(str(one) for one in addresses if one),
            cut=bool(asked.get("bodySize", 0) > 0 and not asked.get("postData")),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        text = "It is no entry of HAR 1.2: request and response, with method, url and status."
        raise ScenarioError("from.unknown", text, f"{place}: entry {n}", "Export the archive anew.") from None


def _posted(data: dict[str, Any] | None) -> str | None:
    if not data:
        return None
    if data.get("text") is not None:
        return str(data["text"])
    return urlencode([(one["name"], one.get("value", "")) for one in data.get("params") or ()]) or None


def _content(content: dict[str, Any]) -> str | None:
    text = content.get("text")
    if text is None or content.get("encoding") != "base64":
        return None if text is None else str(text)
    return base64.b64decode(text).decode("utf-8", "replace")
