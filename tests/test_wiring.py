"""Wiring in sight: an object is whole when it is made. What others assign to afterwards is a record's field, or a library's own switch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

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
    made = [one for one in map(ast.unparse, node.decorator_list) if "dataclass" in one]
    return not any("frozen=True" in one for one in made) and bool(
        made or {ast.unparse(base) for base in node.bases} & {"BaseModel", "Kept"}
    )


def is_stored(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)


def looked_through(tree: ast.AST) -> tuple[set[str], list[tuple[str, str]]]:
    """Names of the fields of every record, and where something is assigned to an attribute of an object other than ``self`` or ``cls``, with its name."""
    fields, late = set[str](), []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and is_record(node):
            of = [one.target for one in node.body if isinstance(one, ast.AnnAssign)]
            fields |= {one.id for one in of if isinstance(one, ast.Name)}
        elif is_stored(node) and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
            late.append((f"{node.lineno} {ast.unparse(node)}", node.attr))
    return fields, late


def test_nothing_is_wired_after_it_was_made() -> None:
    found = {place: looked_through(tree) for place, tree in trees()}
    known = set().union(*OF_LIBRARIES.values(), *(fields for fields, _ in found.values()))
    wired = [f"{place}:{said}" for place, (_, late) in found.items() for said, name in late if name not in known]
    assert wired == [], "hand it to the constructor"


def test_late_wiring_is_found() -> None:
    wired = (
        "self.site = site\nrequest.state = ended\nself.smt.intake.lay = site.lay\ndesk.closed, self.on = refused, True"
    )
    _, late = looked_through(ast.parse(wired))
    assert [said for said, name in late if name != "state"] == ["3 self.smt.intake.lay", "4 desk.closed"]


def test_a_record_may_be_filled_in_later() -> None:
    made = "@dataclass\nclass A:\n    state: int\n@dataclass(frozen=True)\nclass B:\n    other: int\n"
    assert looked_through(ast.parse(made)) == ({"state"}, [])
