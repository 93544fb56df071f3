"""The market's reads in other forms than JSON, in the reply and as files whose making is followed up."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from headend.lse.writer import read
from meters.calendar import seconds
from tests.simulator.smt.rig import FOREIGN, NEIGHBOUR, PLAIN, ROR_DUNS, Rig, record
from tests.simulator.smt.usage.test_reports import RANGE, Folders


async def test_csv_and_lse_come_in_the_reply_too(rig: Rig) -> None:
    rig.post_days()
    as_csv = await rig.market("/15minintervalreads/", **RANGE, reportFormat="CSV")
    as_lse = await rig.market("/15minintervalreads/", **RANGE, reportFormat="LSE")
    daily = await rig.market("/dailyreads/", **RANGE, reportFormat="CSV")
    month = RANGE | {"startDate": "07/01/2026"}
    monthly = await rig.market("/monthlybillingInformation/", **month, reportFormat="CSV")
    told = (await rig.market("/monthlybillingInformation/", **month)).json()
    wrong = (await rig.market("/dailyreads/", **RANGE, reportFormat="LSE")).json()
    assert (as_csv.headers["content-type"], len(as_csv.text.splitlines())) == ("text/csv; charset=utf-8", 193)
    records = read(as_lse.content, f"{ROR_DUNS}IntervalData20260812174000001.lse")
    assert records.findings == ()
    assert [one.day for one in records.records] == [date(2026, 8, 10), date(2026, 8, 11)]
    assert records.records[0].start_reading_wh == record(PLAIN, date(2026, 8, 10), seconds(0)).start_reading_wh
    assert daily.text.splitlines()[2].startswith(f"{PLAIN},08/11/2026,")
    assert daily.text.splitlines()[2].endswith("9.600,Consumption")
    # Read days are the 1st here: July's first midnight is not posted, August's is the end of the one whole period.
    assert told == {"errorCode": "1", "errorMessage": "No data received from the respective TDSP"}
    assert monthly.json()["errorCode"] == "1"
    assert wrong["errorMessage"] == "reportFormat LSE is not offered here: use JSON or CSV."


async def test_several_esiids_are_delivered_as_a_file_and_the_request_is_followed_up(tmp_path: Path) -> None:
    folders = Folders()
    async with Rig(tmp_path, folders=folders) as rig:
        for esiid in (PLAIN, NEIGHBOUR):
            rig.post_days(esiid=esiid)
        by_file = RANGE | {"esiid": [PLAIN, NEIGHBOUR], "deliveryMode": "FTP"}
        ends = {}
        for path, form in (
            ("/15minintervalreads/", "CSV"),
            ("/15minintervalreads/", "LSE"),
            ("/dailyreads/", "JSON"),
            ("/greenbutton/", "XML"),
        ):
            ack = (await rig.market(path, **by_file, reportFormat=form)).json()
            assert ack["statusCode"] == "0"
            ask = {"correlationId": ack["correlationId"]}
            pending = (await rig.market("/reportrequeststatus/", **ask)).json()
            assert (pending["statusCode"], pending.get("fileName")) == ("PEN", None)
            await rig.wait(1)
            ends[form] = (await rig.market("/reportrequeststatus/", **ask)).json()
            assert (await rig.market("/reportrequeststatus/", "rival.api", **ask)).json()["errorCode"] == "CORRELATION"
        key = ends["CSV"]["correlationId"]
        assert ends["CSV"]["fileName"] == f"IntervalMeterUsage20260812174000{key}.CSV"
        assert ends["LSE"]["fileName"].startswith(f"{ROR_DUNS}IntervalData20260812174001")
        assert [end["statusCode"] for end in ends.values()] == ["0"] * 4
        assert {end["fileName"] for end in ends.values()} == set(folders.files)
        rows = folders.files[ends["CSV"]["fileName"]].decode().splitlines()
        assert {row.split(",")[0] for row in rows[1:]} == {PLAIN, NEIGHBOUR}
        assert read(folders.files[ends["LSE"]["fileName"]], ends["LSE"]["fileName"]).findings == ()


async def test_a_file_that_cannot_be_made_or_has_nothing_in_it_has_failed_with_a_reason(tmp_path: Path) -> None:
    folders = Folders()
    async with Rig(tmp_path, folders=folders) as rig:
        by_file = RANGE | {"deliveryMode": "FTP", "reportFormat": "CSV"}
        nothing = (await rig.market("/dailyreads/", **by_file)).json()
        await rig.wait(1)
        rig.post_days()
        folders.fails = True
        broken = (await rig.market("/dailyreads/", **by_file)).json()
        await rig.wait(1)
        reasons = [
            (await rig.market("/reportrequeststatus/", correlationId=one["correlationId"])).json()["statusReason"]
            for one in (nothing, broken)
        ]
        assert reasons == ["No data received from the respective TDSP", "Something went wrong. Please try again later."]
        foreign = (await rig.market("/dailyreads/", **by_file | {"esiid": [PLAIN, FOREIGN]})).json()
        many = (await rig.market("/dailyreads/", **by_file | {"esiid": [str(number) for number in range(201)]})).json()
        assert (foreign["errorCode"], many["errorCode"]) == ("AC1", "MANY-ESIIDS")
