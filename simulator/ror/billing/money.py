"""Money and energy in words; cents are rounded half up, away from zero."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Round dollars to whole cents, half up: what a customer is told."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def usd(whole_cents: int) -> Decimal:
    """Whole cents in dollars."""
    return Decimal(whole_cents).scaleb(-2)


def exact_text(amount: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(amount: Decimal) -> str:
    """Write a decimal as dollars: ``$89.83``, ``-$125.00``."""
    rounded = cents(amount)
    return f"-${-rounded:,}" if rounded < 0 else f"${rounded:,}"


def kwh(wh: int) -> str:
    """Write Wh as kWh with three decimals."""
    return f"{Decimal(wh).scaleb(-3):,.3f}"
