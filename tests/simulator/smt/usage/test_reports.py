"""Report files and other forms of the market's reads: CSV that a meter can replay, LSE that the checker takes, billing periods, delivery."""

from __future__ import annotations

import asyncio
import ftplib
import ssl
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.lse.writer import read
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, day_start, days, intervals_in, seconds
from meters.load.replay_file import read_quarters
from simulator.smt.usage import deliveries
from simulator.smt.usage.billing_periods import billed, billing_periods
from simulator.smt.usage.formats import interval_csv
from simulator.world.market import ROR_LOGIN
from tests.simulator.sandboxes import rig as sandbox
from tests.simulator.smt.rig import PLAIN, ROR_DUNS, Rig, record
from tests.simulator.smt.usage.test_green_button import stored

RANGE: dict[str, Any] = {"startDate": "08/10/2026", "endDate": "08/11/2026", "esiid": [PLAIN]}


@pytest.mark.parametrize("day", [date(2026, 8, 11), date(2026, 3, 8), date(2025, 11, 2)])
def test_the_interval_csv_is_one_that_a_meter_replays(tmp_path: Path, day: date) -> None:
    both = [
        stored(record(PLAIN, day, seconds(1_786_000_000), channel)) for channel in (Channel.LOAD, Channel.GENERATION)
    ]
    for one in both:
        one.wh[:] = np.arange(intervals_in(day)) + int(one.channel)
    text = interval_csv(both)
    (tmp_path / "usage.csv").write_bytes(text)
    quarters = read_quarters(tmp_path / "usage.csv")
    for one, found in zip(both, (quarters.delivered, quarters.received), strict=True):
        begin = day_start(day)
        assert found == {begin + INTERVAL_S * at: wh for at, wh in enumerate(one.wh.tolist())}
    lines = text.decode().splitlines()
    assert lines[1].endswith(", 00:00, 00:15,0.004,A,Consumption")
    assert ", 23:45, 00:00," in lines[len(both[0].wh)]
    assert lines[-1].endswith("Surplus Generation")


@given(
    st.integers(1, 28),
    st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=4),
    st.dates(date(2026, 2, 1), date(2026, 11, 1)),
    st.integers(0, 120),
)
def test_billing_periods_meet_and_are_never_longer_than_a_month(
    read_day: int, cuts: set[date], first: date, length: int
) -> None:
    last = first + timedelta(days=length)
    periods = billing_periods(read_day, cuts, first, last)
    assert all(first <= end <= last and start < end <= start + timedelta(days=31) for start, end in periods)
    assert all(one[1] == two[0] for one, two in pairwise(periods))
    ends = {end for _, end in periods}
    assert ends == {day for day in days(first, last) if day.day == read_day or day in cuts}


def test_a_billing_period_sums_its_days_and_waits_for_all_of_them() -> None:
    span = days(date(2026, 3, 5), date(2026, 4, 4))
    posted = {day: stored(record(PLAIN, day, seconds(1000 + at))) for at, day in enumerate(span)}
    posted[span[3]].wh[7] = 1728
    periods = [(span[0], date(2026, 4, 5))]
    (one,) = billed(periods, posted, demand_billed=True)
    # 31 days, an hour less for the spring day.
    assert one.wh == 100 * (31 * 96 - 4) + 1628
    assert one.body() | {"revisionDate": ""} == {
        "startDate": "03/05/2026",
        "endDate": "04/05/2026",
        "revisionDate": "",
        "actualkWh": "298.828",
        "meteredKW": "6.912",
        "billedKW": "6.912",
        "meteredKVA": "6.912",
        "billedKVA": "6.912",
    }
    assert billed(periods, posted, demand_billed=False)[0].body()["billedKW"] == "0.000"
    del posted[span[9]]
    assert billed(periods, posted, demand_billed=True) == []


class Folders:
    """A file site in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.fails = False

    def put(self, username: str, name: str, content: bytes) -> None:
        if self.fails:
            raise OSError("the disk is full")
        assert username == "lonestar.api"
        if name in self.files:
            raise FileExistsError(name)
        self.files[name] = content

    add = lay = put

    def has(self, username: str, name: str) -> bool:
        return name in self.files


async def test_files_of_one_second_do_not_take_each_others_names_and_an_esiid_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two correlation ids that end alike, as one in a thousand pairs does.
    keys = iter(("111111111999", "222222222999"))
    monkeypatch.setattr(deliveries, "digits", lambda *_: next(keys))
    folders = Folders()
    async with Rig(tmp_path, folders=folders) as rig:
        rig.post_days()
        for asked in ([PLAIN], [PLAIN, PLAIN]):
            await rig.market("/15minintervalreads/", **RANGE | {"esiid": asked}, deliveryMode="FTP", reportFormat="LSE")
        await rig.wait(1)
    made = f"{ROR_DUNS}IntervalData20260812174000"
    assert sorted(folders.files) == [f"{made}000.lse", f"{made}999.lse"]
    for name, content in folders.files.items():
        assert len(read(content, name).records) == 2


async def test_what_was_being_made_at_a_restart_has_failed(tmp_path: Path) -> None:
    async with Rig(tmp_path, folders=Folders()) as rig:
        rig.post_days()
        by_file = RANGE | {"deliveryMode": "FTP", "reportFormat": "CSV"}
        key = (await rig.market("/dailyreads/", **by_file)).json()["correlationId"]
        rig.smt.deliveries.recover(rig.smt.now_us())
        ended = (await rig.market("/reportrequeststatus/", correlationId=key)).json()
        assert ended["statusCode"] == "1"


async def test_a_file_lies_on_the_ftps_site_in_the_folder_of_its_sender(tmp_path: Path) -> None:
    def fetched(port: int, ca_file: Path, name: str) -> list[str]:
        lines: list[str] = []
        with ftplib.FTP_TLS(context=ssl.create_default_context(cafile=str(ca_file)), timeout=5) as ftp:
            ftp.connect("127.0.0.1", port)
            ftp.login(ROR_LOGIN.username, ROR_LOGIN.password)
            ftp.prot_p()
            ftp.retrlines(f"RETR {name}", lines.append)
        return lines

    async with sandbox(tmp_path) as made:
        headers = {"authorization": f"Bearer {await made.client.token()}"}
        sender = {
            "trans_id": "1",
            "requestorID": ROR_LOGIN.username,
            "requesterType": "REP",
            "requesterAuthenticationID": ROR_LOGIN.duns,
        }
        order = {"deliveryMode": "FTP", "reportFormat": "CSV", **RANGE, "esiid": [made.esiid(1), made.esiid(2)]}
        ack = (await made.http.post("/v2/15minintervalreads/", json=sender | order, headers=headers)).json()
        ask = sender | {"correlationId": ack["correlationId"]}
        await made.sandbox.runtime.run_until(made.sandbox.runtime.now() + 1)
        status = (await made.http.post("/v2/reportrequeststatus/", json=ask, headers=headers)).json()
        port, ca_file = made.sandbox.files.port, made.sandbox.ca.ca_file
        assert len(await asyncio.to_thread(fetched, port, ca_file, status["fileName"])) == 1 + 2 * 2 * 96
