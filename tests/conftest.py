"""The event loop of tests that are coroutines, and the two runs that several rooms look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scenarios.run import JudgedRun


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def balance_run(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    from tests.scenarios.short import run, short_balance

    return run(short_balance(), tmp_path_factory.mktemp("balance"))


@pytest.fixture(scope="session")
def last_bill_run(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    from tests.scenarios.short import run, short_last_bill

    return run(short_last_bill(), tmp_path_factory.mktemp("last-bill"))
