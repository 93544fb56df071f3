"""KWh as SMT writes them: text with three decimals, of whole Wh."""

from __future__ import annotations


def kwh(wh: int) -> str:
    """KWh with three decimals."""
    return f"{wh // 1000}.{wh % 1000:03d}"
