"""How the head-end's database came to its present schema (``headend.store.migrate``): the statements stand in ``migrations.sql``."""

from __future__ import annotations

from pathlib import Path

from headend.store.migrate import read_migrations

MIGRATIONS = read_migrations(Path(__file__).with_suffix(".sql"))
