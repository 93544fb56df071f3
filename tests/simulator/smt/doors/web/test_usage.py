"""What a usage page shows beside posted days: other days, what was pushed, where it leads; and how any page may be asked."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from meters.calendar import seconds
from simulator.web.words import by_the_clock, stamp
from tests.simulator.smt.doors.web.visits import kinds, visiting
from tests.simulator.smt.ondemand.test_non_vee import MIDNIGHT, meter, taken
from tests.simulator.smt.rig import PLAIN, Rig, record

USAGE = f"/ui/m/{PLAIN}/usage"


async def test_a_day_is_compared_with_the_mean_of_the_four_latest_of_its_kind(rig: Rig) -> None:
    """Of a Tuesday: Monday, Friday, Thursday, Wednesday."""
    for day, wh in {10: 110, 8: 900, 7: 120, 6: 130, 5: 141, 4: 999}.items():
        rig.smt.store.load(
            [record(PLAIN, date(2026, 8, day), rig.runtime.now(), wh=wh)], rig.runtime.now(), f"{day}.lse"
        )
    rig.smt.store.load([record(PLAIN, date(2026, 8, 11), rig.runtime.now())], rig.runtime.now(), "11.lse")
    async with visiting(rig, "customer") as visit:
        page = (await visit.get(f"{USAGE}?day=2026-08-11&compare=like")).text
        assert re.search(r'data-look="beside"/></svg> days of its kind</li>', page, re.I)
        assert page.count(">0.125<") == 96
        lone = (await visit.get(f"{USAGE}?day=2026-08-04&compare=before")).text
    assert "The day before: nothing is posted that has all times of this day." in lone
    assert 'data-look="beside"' not in lone


async def test_before_the_first_year_nothing_leads(rig: Rig) -> None:
    async with visiting(rig, "customer") as visit:
        for asked, leads in (("day=2000-01-01", False), ("day=2000-01-02", True), ("view=month&day=2000-01-30", False)):
            page = await visit.get(f"{USAGE}?{asked}")
            assert (page.status_code, "\N{LEFTWARDS ARROW}" in page.text) == (200, leads)


async def test_what_was_pushed_stands_on_the_page_before_anybody_reads(tmp_path: Path) -> None:
    async with Rig(tmp_path, "push-to-smt") as rig, visiting(rig, "customer") as visit:
        assert kinds((await visit.get(f"{USAGE}?day=2026-08-12")).text) == []
        two = seconds(int(MIDNIGHT) + 7200)
        assert await taken(rig, meter(end=two, at=two)) == (8, 0, 0)
        page = (await visit.get(f"{USAGE}?day=2026-08-12")).text
        assert kinds(page) == ["store"] * 8


async def test_any_page_may_be_asked_by_head_and_a_wrong_method_is_named(rig: Rig) -> None:
    async with visiting(rig, "customer") as visit:
        for path in ("/ui/login", USAGE, "/docs"):
            whole, head = await visit.http.get(path), await visit.http.head(path)
            assert (head.status_code, head.headers.get("content-type")) == (
                whole.status_code,
                whole.headers.get("content-type"),
            )
            assert head.content == b""
        wrong = await visit.http.delete("/ui/login")
        assert (wrong.status_code, "This page does not take DELETE." in wrong.text) == (405, True)


async def test_a_part_brings_the_time_for_the_head_of_its_page(rig: Rig) -> None:
    async with visiting(rig, "customer") as visit:
        assert (await visit.get(USAGE, "usage")).headers["x-dated"] == "Wed Aug 12 17:40 CDT"


async def test_own_visits_are_folded_behind_those_of_others(rig: Rig) -> None:
    rig.post_days()
    async with visiting(rig, "customer") as visit, visiting(rig, "lonestar.api") as retailer:
        await visit.get(USAGE)
        alone = (await visit.get(f"/ui/m/{PLAIN}/access")).text
        assert "Nobody else has read it." in alone
        await retailer.get(USAGE)
        page = (await visit.get(f"/ui/m/{PLAIN}/access")).text
    others, own = page.split("<details>")
    assert "lonestar.api" in others
    assert ">customer<" not in others.split("<tbody>")[1]
    assert own.startswith("<summary>Your own visits: ")
    assert "lonestar.api" not in own


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Used at 2026-08-12T17:40:00-05:00.", "Used at Wed Aug 12 17:40 CDT."),
        (
            "At 2026-11-01T01:30:00-05:00 and 2026-11-01T01:30:00-06:00.",
            "At Sun Nov 01 01:30 CDT and Sun Nov 01 01:30 CST.",
        ),
        ("Two reads an hour.", "Two reads an hour."),
    ],
)
def test_instants_within_a_sentence_are_told_by_the_clock(text: str, told: str) -> None:
    assert by_the_clock(text) == told


def test_an_instant_is_stamped_with_its_date_second_and_zone() -> None:
    assert (
        stamp("At 2026-11-01T01:30:05.835-05:00 and 2026-11-01T01:30:05-06:00.")
        == "At 2026-11-01 01:30:05 CDT and 2026-11-01 01:30:05 CST."
    )
