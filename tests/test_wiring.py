"""Wiring in sight: an object is whole when it is made. What others assign to afterwards is a record's field, or a library's own switch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.test_rooms import ROOT, modules

#: Attributes that libraries want set on their objects.
OF_LIBRARIES = {
    "ElementTree": {"text"},
    "Jinja2": {"filters", "lstrip_blocks", "trim_blocks"},
    "NumPy": {"writeable"},
    "PyYAML": {"yaml_implicit_resolvers"},
    "Typer": {"__signature__"},
    "csv": {"fieldnames"},
    "httpx": {"url"},
    "logging": {"level", "propagate"},
    "pymodbus": {"conformity", "dev_id", "transaction_id"},
    "numba": {"_cache"},
    "simpy": {"defused"},
    "sqlite3": {"isolation_level"},
    "ssl": {"sslsocket_class"},
    "sys": {"stdout"},
    "uvicorn": {"should_exit"},
}


def trees() -> Iterator[tuple[str, ast.Module]]:
    for file in modules().values():
        yield str(file.relative_to(ROOT)), ast.parse(file.read_text(encoding="utf-8"))


def is_record(node: ast.ClassDef) -> bool:
    """Whether a class is a dataclass or a pydantic model, and takes assignments."""
    made = [ast.unparse(one) for one in node.decorator_list if "dataclass" in ast.unparse(one)]
    return not any("frozen=True" in one for one in made) and bool(
        made or {ast.unparse(base) for base in node.bases} & {"BaseModel", "Kept"}
    )


def fields() -> set[str]:
    """Names of the fields of every record."""
    return {
        one.target.id
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and is_record(node)
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    }


def late(tree: ast.AST, known: set[str]) -> list[str]:
    """Where something is assigned to an attribute of an object other than ``self`` or ``cls``, under a name that is not known."""
    stored = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
    return [
        f"{day.lineno} {ast.unparse(day)}"
        for day in stored
        if ast.unparse(day.value) not in ("self", "cls") and day.attr not in known
    ]


def test_nothing_is_wired_after_it_was_made() -> None:
    known = fields().union(*OF_LIBRARIES.values())
    assert [f"{place}:{one}" for place, tree in trees() for one in late(tree, known)] == [], (
        "hand it to the constructor"
    )


def test_late_wiring_is_found() -> None:
    wired = (
        "self.site = site\nrequest.state = ended\nself.smt.intake.lay = site.lay\ndesk.closed, self.on = refused, True"
    )
    assert late(ast.parse(wired), {"state"}) == ["3 self.smt.intake.lay", "4 desk.closed"]
