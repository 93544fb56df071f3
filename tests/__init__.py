"""Tests mirror the rooms; benchmarks live apart in ``tests/benchmarks``."""
