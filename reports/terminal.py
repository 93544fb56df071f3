"""What every command prints through: one width, the same content on a terminal and in a pipe."""

from __future__ import annotations

from rich.console import Console

#: Columns of a page that is not a terminal's, and the most that is used of a wide one.
WIDTH = 100


def console(*, stderr: bool = False) -> Console:
    """Where to print: at most 100 columns, colours only on a terminal."""
    found = Console(stderr=stderr, highlight=False, soft_wrap=False)
    width = min(found.width, WIDTH) if found.is_terminal else WIDTH
    return Console(stderr=stderr, highlight=False, width=width)
