"""What all tests of certification look at alike."""

from __future__ import annotations

import functools

from scenarios.certify import plan

# A plan is read at each certification, of which the tests make dozens; its files are shipped.
plan.load_cases = functools.cache(plan.load_cases)  # type: ignore[attr-defined]
