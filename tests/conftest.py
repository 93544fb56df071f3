"""Tests that are coroutines, and the two runs that several rooms look at."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scenarios.run import JudgedRun


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run it in an event loop of its own, in which fixtures that are asynchronous contexts are entered."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}

    async def run() -> None:
        async with AsyncExitStack() as entered:
            for name, value in wanted.items():
                if isinstance(value, AbstractAsyncContextManager):
                    wanted[name] = await entered.enter_async_context(value)
            await pyfuncitem.obj(**wanted)

    asyncio.run(run())
    return True


@pytest.fixture(scope="session")
def balance_run(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    from tests.scenarios.short import run, short_balance

    return run(short_balance(), tmp_path_factory.mktemp("balance"))


@pytest.fixture(scope="session")
def last_bill_run(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    from tests.scenarios.short import run, short_last_bill

    return run(short_last_bill(), tmp_path_factory.mktemp("last-bill"))
