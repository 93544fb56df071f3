"""The Green Button feed, read by an XML parser that knows nothing of ours: units, blocks, instants, local time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from headend.lse.writer import LseRecord
from headend.vee.quality import Channel
from meters.calendar import CPT, INTERVAL_S, day_start, days, intervals_in, seconds
from simulator.smt.usage.green_button import feed
from simulator.smt.usage.store import StoredDay
from tests.simulator.smt.rig import PLAIN, record

BOTH = (Channel.LOAD, Channel.GENERATION)
NS = {"a": "http://www.w3.org/2005/Atom", "e": "http://naesb.org/espi"}


def stored(record: LseRecord) -> StoredDay:
    return StoredDay(
        record.esiid,
        record.channel,
        record.day,
        1,
        record.start_reading_wh,
        record.stop_reading_wh,
        record.wh,
        record.estimated,
        record.posted_at,
        record.posted_at,
    )


@pytest.mark.parametrize("first", [date(2026, 8, 10), date(2026, 3, 7), date(2025, 11, 1)])
def test_a_feed_is_an_espi_document_with_one_block_a_day(first: date) -> None:
    span = days(first, first + timedelta(days=2))
    usage = [stored(record(PLAIN, day, day_start(day), channel, 77)) for channel in BOTH for day in span]
    usage[0].estimated[3] = True
    root = ET.fromstring(feed([(PLAIN, usage)], seconds(1_780_000_000)))
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    assert [one.text for one in root.findall(".//e:ReadingType/e:uom", NS)] == ["72", "72"]
    assert [one.text for one in root.findall(".//e:ReadingType/e:intervalLength", NS)] == ["900", "900"]
    assert sorted(str(one.text) for one in root.findall(".//e:ReadingType/e:flowDirection", NS)) == ["1", "19"]
    blocks = root.findall("a:entry/a:content/e:IntervalBlock", NS)
    assert len(blocks) == 2 * len(span)
    for block, day in zip(blocks, span * 2, strict=True):
        assert block.findtext("e:interval/e:start", namespaces=NS) == str(day_start(day))
        assert block.findtext("e:interval/e:duration", namespaces=NS) == str(intervals_in(day) * INTERVAL_S)
        readings = block.findall("e:IntervalReading", NS)
        assert [int(reading.findtext("e:timePeriod/e:start", "", NS)) for reading in readings] == list(
            range(day_start(day), day_start(day + timedelta(days=1)), INTERVAL_S)
        )
        assert {reading.findtext("e:value", "", NS) for reading in readings} == {"77"}
    qualities = [one.text for one in blocks[0].findall(".//e:quality", NS)]
    assert [at for at, quality in enumerate(qualities) if quality == "8"] == [3]


def test_every_entry_has_an_id_of_its_own_and_the_readings_hang_on_the_usage_point() -> None:
    usage = [stored(record(PLAIN, date(2026, 8, 11), seconds(1)))]
    other = [stored(record("99900000000000018", date(2026, 8, 11), seconds(1)))]
    root = ET.fromstring(feed([(PLAIN, usage), ("99900000000000018", other)], seconds(1)))
    ids = [one.text for one in root.iter("{http://www.w3.org/2005/Atom}id")]
    assert len(set(ids)) == len(ids)
    links = {one.get("href") for one in root.findall("a:entry/a:link[@rel='self']", NS)}
    related = {one.get("href") for one in root.findall("a:entry/a:link[@rel='related']", NS)}
    # What is related is there, or is the collection of what is there.
    assert all(one in links or any(str(link).startswith(f"{one}/") for link in links) for one in related)
    for entry in root.findall("a:entry", NS):
        assert entry.findtext("a:published", "", NS).endswith("Z")


@pytest.mark.parametrize(("rule", "ahead"), [("dstStartRule", True), ("dstEndRule", False)])
def test_the_local_time_parameters_are_those_of_central_time(rule: str, ahead: bool) -> None:
    usage = [stored(record(PLAIN, date(2026, 8, 11), seconds(1)))]
    found = ET.fromstring(feed([(PLAIN, usage)], seconds(1))).find(".//e:LocalTimeParameters", NS)
    assert found is not None
    standard = timedelta(seconds=int(found.findtext("e:tzOffset", "", NS)))
    saving = timedelta(seconds=int(found.findtext("e:dstOffset", "", NS)))
    bits = int(found.findtext(f"e:{rule}", "", NS), 16)
    hour, weekday, operator, month = bits >> 12 & 31, bits >> 17 & 7, bits >> 25 & 7, bits >> 28
    for year in (2025, 2026, 2027):
        # Operators 1 to 7: the first, second, ... such weekday of the month; here 2 is the first and 3 the second.
        first = next(day for day in days(date(year, month, 1), date(year, month, 7)) if day.isoweekday() == weekday)
        day = first + timedelta(weeks=operator - 2)
        # The change is at that hour of the time that holds until then.
        at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - standard - (timedelta(0) if ahead else saving)
        before, after = ((at + step).astimezone(CPT).utcoffset() for step in (-timedelta(seconds=1), timedelta(0)))
        assert (before, after) == ((standard, standard + saving) if ahead else (standard + saving, standard))
