"""Each component of the kit in each of its states, made of nothing that is real: a page to look at, and what the tests of the looks take."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from starlette.responses import HTMLResponse

from meters.calendar import intervals_in
from simulator.web.charts import QUARTER_HOURS, Chart, Column, day_ticks
from simulator.web.kinds import ACTUAL, ESTIMATED, METER, MISSING, STORE
from simulator.web.parts import Problem, Progress, Step
from simulator.web.site import Site
from simulator.web.words import begins

_KIT = Path(__file__).parent
PLAIN, LONG, SHORT = date(2026, 8, 12), date(2026, 11, 1), date(2026, 3, 8)


def _wh(count: int) -> list[int]:
    """(count,) Wh of a day that rises to its evening."""
    return [120 + index * 3 + (index * 37) % 90 for index in range(count)]


def day_chart(day: date, kinds: list[str], *, solar: bool = False, beside: bool = False) -> Chart:
    """A day whose first intervals are of these kinds."""
    count = intervals_in(day)
    received = Column([ACTUAL] * count, [max(0, 400 - abs(index - count // 2) * 16) for index in range(count)])
    return Chart(
        "Used by quarter hour",
        QUARTER_HOURS,
        begins(day),
        day_ticks(day),
        Column(kinds, _wh(len(kinds))),
        received if solar else None,
        [300 - index for index in range(count)] if beside else (),
    )


def charts() -> dict[str, Chart]:
    """By the name of its state."""
    mixed = [ACTUAL] * 24 + [ESTIMATED] * 16 + [STORE] * 20 + [METER] * 8 + [MISSING] * 4
    return {
        "a whole day": day_chart(PLAIN, [ACTUAL] * 96),
        "each kind, and the rest of the day to come": day_chart(PLAIN, mixed),
        "a hole": day_chart(PLAIN, [ACTUAL] * 40 + [MISSING] * 16 + [ACTUAL] * 40),
        "all estimated": day_chart(PLAIN, [ESTIMATED] * 96),
        "the day with two hours from 1 to 2": day_chart(LONG, [ACTUAL] * 100),
        "the day without an hour from 2 to 3": day_chart(SHORT, [ACTUAL] * 92),
        "solar, beside another day": day_chart(PLAIN, [ACTUAL] * 96, solar=True, beside=True),
        "nothing used": Chart(
            "Nothing", QUARTER_HOURS, begins(PLAIN), day_ticks(PLAIN), Column([ACTUAL] * 96, [0] * 96)
        ),
    }


def requests() -> dict[str, Progress]:
    """By the name of its state."""
    words, at = ("Taken", "Queued", "Sent", "Answered"), "17:40:00 CDT"

    def until(done: int, *, alive: bool = True) -> list[Step]:
        return [
            Step(word, at if turn <= done else "", "done" if turn < done or not alive else "now" if turn == done else "open")
            for turn, word in enumerate(words)
        ]  # fmt: skip

    waits = {
        word.lower(): Progress(f"Your request is {word.lower()}.", "waits", until(turn))
        for turn, word in enumerate(words)
    }
    return waits | {
        "done": Progress(
            "The meter has answered.", "good", until(3, alive=False), ["Read at Wed Aug 12 17:41 CDT: 23,459.133 kWh."]
        ),
        "refused": Progress(
            "Your request was refused.",
            "bad",
            [Step("Refused", at, "bad")],
            ["Two reads an hour.", "You can ask again from Wed Aug 12 18:40 CDT."],
        ),
        "failed": Progress(
            "The meter has not answered.", "bad", [*until(2, alive=False)[:3], Step("Failed", at, "bad")]
        ),
        "slow": Progress(
            "Your request is sent.", "waits", until(2), ["Most take one to two minutes, three in a hundred up to thirty."]
        ),
    }  # fmt: skip


def gallery(site: Site) -> HTMLResponse:
    """The page."""
    return site.page(
        "gallery.html.j2",
        _KIT,
        title="Components",
        about="Each part that pages are made of, in each of its states. None of it is anybody's.",
        dated="",
        charts=charts(),
        requests=requests(),
        problem=Problem("day", "There is no such day: 2026-02-30.", "Write it as 2026-08-12."),
    )
