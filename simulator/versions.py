"""Versions of what made a page or a result."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

PRODUCT = "ami-testbed"


def version_of(package: str) -> str:
    """The version that is installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "from source"


def product() -> str:
    """Name and version of the product."""
    return f"{PRODUCT} {version_of(PRODUCT)}"
