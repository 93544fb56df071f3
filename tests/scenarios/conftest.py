"""Runs that several tests look at, made once."""

from __future__ import annotations

import pytest

from scenarios.run import JudgedRun, run_and_judge
from tests.scenarios.short import scenario, short_balance, short_last_bill


@pytest.fixture(scope="session")
def balance_run(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    return run_and_judge(scenario(short_balance()), tmp_path_factory.mktemp("balance"))


@pytest.fixture(scope="session")
def last_bill_run(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    return run_and_judge(scenario(short_last_bill()), tmp_path_factory.mktemp("last-bill"))
