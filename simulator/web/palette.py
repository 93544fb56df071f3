"""The colours of pages and charts, for light and for dark paper: the stylesheet takes them as variables, charts are drawn in the light ones."""

from __future__ import annotations

from typing import NamedTuple


class Shade(NamedTuple):
    """One colour: as it is on light paper, and on dark."""

    light: str
    dark: str


#: Text and surfaces.
PAPER, INK, MUTED, GRID = "paper", "ink", "muted", "grid"
#: By the name of its variable. What is written has 4.5:1 to the paper, what is drawn 3:1.
PALETTE: dict[str, Shade] = {
    PAPER: Shade("#ffffff", "#12181f"),
    INK: Shade("#1c2733", "#e3e9ef"),
    MUTED: Shade("#5a6875", "#a3b2bf"),
    GRID: Shade("#dde4ea", "#2c3844"),
    "wash": Shade("#f0f3f6", "#1c242d"),
    "accent": Shade("#1f5f8a", "#7dbbe6"),
    "good": Shade("#256b3a", "#7fce95"),
    "bad": Shade("#a33a2c", "#f0998b"),
    "aside": Shade("#746417", "#d8c46a"),
    # Intervals by quality and source.
    "vee-actual": Shade("#1f5f8b", "#5a9fd0"),
    "vee-estimated": Shade("#a87708", "#dcae38"),
    "from-store": Shade("#3d8f68", "#72c29a"),
    "from-meter": Shade("#c8553d", "#e58068"),
    "expected": Shade("#7b5ea7", "#b39ad6"),
    # Ends of requests; a word stands in each.
    "served-read": Shade("#1f5f8c", "#5a9fd1"),
    "served-store": Shade("#5f98be", "#33698f"),
    "refused-store": Shade("#c2842a", "#8a5f1e"),
    "refused": Shade("#a85416", "#de9152"),
    "failed": Shade("#8c2f24", "#e58375"),
}


def light(name: str) -> str:
    """A colour as charts are drawn in."""
    return PALETTE[name].light


def variables(shades: str) -> str:
    """The colours of ``light`` or ``dark`` paper as CSS variables."""
    return "".join(f"--{name}:{getattr(shade, shades)};" for name, shade in PALETTE.items())
