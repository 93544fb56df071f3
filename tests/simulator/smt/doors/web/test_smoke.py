"""The shortest journey through the portal in a real browser; all others are ``journeys``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulator.smt.doors.web.journeys import reads_the_meter
from tests.simulator.web.driven import PHONE


@pytest.mark.process
async def test_a_customer_reads_the_meter_on_a_phone(tmp_path: Path) -> None:
    await reads_the_meter(tmp_path, PHONE)
