"""The shape of a database: what two schemas are compared by."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, inspect


def shape(engine: Engine) -> dict[str, Any]:
    """Tables with their columns, keys and indexes, as the database has them."""
    looked = inspect(engine)
    return {
        table: (
            sorted((one["name"], str(one["type"]), one["nullable"]) for one in looked.get_columns(table)),
            looked.get_pk_constraint(table)["constrained_columns"],
            sorted((str(index["name"]), tuple(index["column_names"])) for index in looked.get_indexes(table)),
        )
        for table in looked.get_table_names()
    }
