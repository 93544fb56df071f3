"""Green Button: posted days as an Atom feed of ESPI resources (NAESB REQ.21), Wh in quarter hours, one IntervalBlock per day. Pure.

The namespaces, uom 72, 900 s, one block per day and the local time parameters are DOMAIN §5 [V]; links and ids are ours [D].
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, Seconds, day_end, day_start, us_date
from simulator.smt.usage.store import StoredDay

ATOM, ESPI = "http://www.w3.org/2005/Atom", "http://naesb.org/espi"
MEDIA_TYPE = "application/atom+xml"
#: Seconds that the standard time of Central lies behind UTC, and that its summer time is ahead of it.
_TZ_OFFSET, _DST_OFFSET = -6 * 3600, 3600
#: The rules of DST as ESPI packs them (month, operator, weekday, hour): the second Sunday of March and the first of November at 2.
_DST_START, _DST_END = "360E2000", "B40E2000"
#: ESPI's codes: electricity, energy, Wh, what is counted between two instants; forward is towards the premise.
_WH, _ENERGY, _ELECTRICITY, _DELTA, _NORMAL = "72", "12", "1", "4", "12"
_FLOW = {Channel.LOAD: "1", Channel.GENERATION: "19"}
_TITLE = {Channel.LOAD: "Consumption", Channel.GENERATION: "Surplus Generation"}
#: Quality of a reading [M]: 17 validated, 8 estimated.
_VALIDATED, _ESTIMATED = "17", "8"
_IDS = uuid.UUID("8b7f0f0e-6b6e-5c0e-9d0a-6a6f2d9f3a11")


def feed(usage: Sequence[tuple[str, Sequence[StoredDay]]], updated_at: Seconds) -> bytes:
    """The feed of some ESI IDs.

    usage: per ESI ID the latest revision of each day, of both channels. updated_at: UTC epoch seconds.
    """
    root = ET.Element("feed", {"xmlns": ATOM, "xmlns:espi": ESPI})
    _text(root, "id", _id(" ".join(esiid for esiid, _ in usage)))
    _text(root, "title", "Green Button Usage Feed")
    _text(root, "updated", _iso(updated_at))
    _local_time(root, updated_at)
    channels = {day.channel for _, stored in usage for day in stored}
    for channel in _FLOW:
        if channel in channels:
            _reading_type(root, channel, updated_at)
    for esiid, stored in usage:
        point = f"RetailCustomer/1/UsagePoint/{esiid}"
        entry = _entry(root, point, esiid, updated_at, related=("LocalTimeParameters/1", f"{point}/MeterReading"))
        _espi(_espi(_content(entry, "UsagePoint"), "ServiceCategory"), "kind", "0")
        for channel in _FLOW:
            days = [day for day in stored if day.channel is channel]
            if days:
                _readings(root, point, channel, days, updated_at)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _local_time(root: ET.Element, updated_at: Seconds) -> None:
    content = _content(
        _entry(root, "LocalTimeParameters/1", "Central Prevailing Time", updated_at), "LocalTimeParameters"
    )
    _espi(content, "dstEndRule", _DST_END)
    _espi(content, "dstOffset", str(_DST_OFFSET))
    _espi(content, "dstStartRule", _DST_START)
    _espi(content, "tzOffset", str(_TZ_OFFSET))


def _number(channel: Channel) -> int:
    return 1 if channel is Channel.LOAD else 2


def _reading_type(root: ET.Element, channel: Channel, updated_at: Seconds) -> None:
    entry = _entry(root, f"ReadingType/{_number(channel)}", f"{_TITLE[channel]}, Wh in 15 minutes", updated_at)
    content = _content(entry, "ReadingType")
    for name, value in (
        ("accumulationBehaviour", _DELTA),
        ("commodity", _ELECTRICITY),
        ("dataQualifier", _NORMAL),
        ("flowDirection", _FLOW[channel]),
        ("intervalLength", str(INTERVAL_S)),
        ("kind", _ENERGY),
        ("powerOfTenMultiplier", "0"),
        ("uom", _WH),
    ):
        _espi(content, name, value)


def _readings(root: ET.Element, point: str, channel: Channel, days: list[StoredDay], updated_at: Seconds) -> None:
    reading = f"{point}/MeterReading/{_number(channel)}"
    related = (f"{reading}/IntervalBlock", f"ReadingType/{_number(channel)}")
    _content(_entry(root, reading, _TITLE[channel], updated_at, related=related), "MeterReading")
    for day in days:
        link = f"{reading}/IntervalBlock/{day.day:%Y%m%d}"
        content = _content(_entry(root, link, us_date(day.day), day.loaded_at), "IntervalBlock")
        begin = day_start(day.day)
        _span(content, "interval", begin, day_end(day.day) - begin)
        for index, (wh, late) in enumerate(zip(day.wh.tolist(), day.estimated.tolist(), strict=True)):
            element = _espi(content, "IntervalReading")
            _espi(_espi(element, "ReadingQuality"), "quality", _ESTIMATED if late else _VALIDATED)
            _span(element, "timePeriod", begin + index * INTERVAL_S, INTERVAL_S)
            _espi(element, "value", str(wh))


def _span(parent: ET.Element, name: str, start: Seconds, seconds: Seconds) -> None:
    span = _espi(parent, name)
    _espi(span, "duration", str(seconds))
    _espi(span, "start", str(start))


def _entry(root: ET.Element, link: str, title: str, updated_at: Seconds, related: tuple[str, ...] = ()) -> ET.Element:
    entry = ET.SubElement(root, "entry")
    _text(entry, "id", _id(link))
    ET.SubElement(entry, "link", {"rel": "self", "href": link})
    # A resource hangs below the collection it is in.
    ET.SubElement(entry, "link", {"rel": "up", "href": link.rpartition("/")[0]})
    for link in related:
        ET.SubElement(entry, "link", {"rel": "related", "href": link})
    _text(entry, "title", title)
    _text(entry, "published", _iso(updated_at))
    _text(entry, "updated", _iso(updated_at))
    return entry


def _content(entry: ET.Element, name: str) -> ET.Element:
    content = ET.Element("content")
    # Atom has content before the two instants in no order of its own, readers expect it after the title.
    entry.insert(len(entry) - 2, content)
    return _espi(content, name)


def _espi(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    child = ET.SubElement(parent, f"espi:{name}")
    child.text = text
    return child


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _id(link: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_IDS, link)}"


def _iso(ts: Seconds) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
