"""Tests that are coroutines."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest


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
