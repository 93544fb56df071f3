"""What is installed: each package that is imported is declared, each that is declared is pinned with its hashes, and no package host is named."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.test_rooms import ROOT, modules

#: Why a package is declared that nothing imports by name.
NOT_IMPORTED = {
    "ami-testbed": "its extra for PostgreSQL, for the tests",
    "anyio": "its pytest plugin runs the tests that are coroutines",
    "httptools": "uvicorn parses requests with it",
    "mypy": "a command of make lint",
    "psycopg": "SQLAlchemy loads it for a postgresql:// URL",
    "pytest-cov": "a pytest plugin of make check",
    "pytest-xdist": "a pytest plugin of make test",
    "ruff": "a command of make lint",
    "setuptools": "builds the wheel, without an index",
    "sniffio": "httpcore asks it for the loop at every request, and looks all over the disk for it where it is not there",
    "types-pyyaml": "read by mypy",
    "tzdata": "zoneinfo reads it where the machine has no zone files",
}


def canonical(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: Iterable[str]) -> set[str]:
    return {canonical(re.split(r"[^\w.-]", requirement)[0]) for requirement in requirements}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNNING = names(PROJECT["dependencies"])
EXTRAS = {extra: names(requirements) for extra, requirements in PROJECT["optional-dependencies"].items()}
DEVELOPING = RUNNING.union(*EXTRAS.values())


def imported(files: Iterable[Path]) -> set[str]:
    """Distributions, other than ours, whose packages the files import at any place."""
    # As ruff has formatted them, each import has a line of its own and begins it, so a text tells enough.
    one = re.compile(r"^ *(?:import|from) ([a-zA-Z_]\w*)(?:[.\w]* import| as |\.|$)", re.MULTILINE)
    found = {name for file in files for name in one.findall(file.read_text(encoding="utf-8"))}
    owners = packages_distributions()
    return names(owner for name in found for owner in owners.get(name, ())) - {"ami-testbed"}


def pinned(lock: str) -> dict[str, str]:
    """Each package's lines in a lock file: pin, marker and hashes."""
    packages = re.split(r"\n(?=\w)", "\n" + (ROOT / lock).read_text(encoding="utf-8"))[1:]
    return {name: package.strip() for package in packages for name in names([package])}


def test_the_product_imports_what_it_declares() -> None:
    assert imported(modules().values()) == (RUNNING | EXTRAS["postgres"]) - NOT_IMPORTED.keys()


def test_the_tests_import_what_is_declared() -> None:
    found = imported((ROOT / "tests").rglob("*.py"))
    assert found <= DEVELOPING
    assert EXTRAS["dev"] - NOT_IMPORTED.keys() <= found


def test_every_reason_is_for_one_that_is_declared() -> None:
    assert NOT_IMPORTED.keys() <= DEVELOPING


@pytest.mark.parametrize(
    "lock", sorted(str(lock.relative_to(ROOT)) for lock in (*ROOT.glob("*.lock"), *ROOT.glob("tests/clients/*.lock")))
)
def test_a_lock_pins_every_package_with_its_hashes_and_names_no_index(lock: str) -> None:
    one = r"[\w.-]+(\[[\w,]+\])?==[\w.]+( ; [^\n\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+"
    assert pinned(lock)
    assert [package for package in pinned(lock).values() if not re.fullmatch(one, package)] == []


def test_the_lock_for_developing_is_the_one_for_running_and_more() -> None:
    running, developing = pinned("requirements.lock"), pinned("requirements-dev.lock")
    assert running.items() <= developing.items()
    assert running.keys() >= RUNNING
    assert not running.keys() & EXTRAS["postgres"]
    assert developing.keys() >= DEVELOPING - {"ami-testbed"}
