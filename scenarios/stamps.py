"""Instants in what a person reads: as the clock on the wall shows them, not as ISO 8601."""

from __future__ import annotations

from meters.calendar import Seconds, epoch, local


def stamp(when: str | Seconds | None, *, seconds: bool = False) -> str:
    """``2026-08-12 17:30`` of an ISO 8601 stamp or of UTC epoch seconds, as the clock on the wall shows it."""
    if not when:
        return "-"
    return local(epoch(when) if isinstance(when, str) else when).strftime(
        "%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M"
    )


def clock(iso: str) -> str:
    """A stamp to the second, and to the minute where that is whole."""
    text = stamp(iso, seconds=True)
    return text[:-3] if text.endswith(":00") else text


def plain(text: str) -> str:
    """A sentence with its ISO 8601 stamps as the clock on the wall shows them."""
    words = []
    for word in text.split(" "):
        core = word.rstrip(".,;")
        if is_stamp(core):
            word = clock(core) + word[len(core) :]
        words.append(word)
    return " ".join(words)


def is_stamp(word: str) -> bool:
    """Whether a word is an ISO 8601 stamp with its offset."""
    return len(word) == 25 and word[10] == "T" and word[4] == "-" and word[19] in "+-"
