"""Each component of the kit in each of its states, made of nothing that is real: a page to look at, and what the tests of the looks take."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from starlette.responses import HTMLResponse

from meters.calendar import intervals_in
from simulator.web.bills import BillRow, Fan, MoneyParts, MoneyRow, Piece, Rebilled, Side, Total, said
from simulator.web.charts import QUARTER_HOURS, Chart, Column, Stacks, day_ticks
from simulator.web.kinds import ACTUAL, ESTIMATED, EXPECTED, METER, MISSING, STORE
from simulator.web.lanes import Lane, Lanes, Span
from simulator.web.lines import DIAMOND, DOT, FRESH, HIGH, KNOWN, LOW, MIDDLE, Band, Line, Lines, Point
from simulator.web.parts import Part, Problem, Progress, Step, Table
from simulator.web.plot import Moment, Rule
from simulator.web.rows import Marks, Rows, ShadeRow, Shades
from simulator.web.site import Site
from simulator.web.words import begins, dollars

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


def stack_charts() -> dict[str, Stacks]:
    """By the name of its state."""
    days = [f"Aug {day:02d}" for day in range(1, 31)]
    actual = [20_000 + 700 * (turn % 9) if turn < 24 else 0 for turn in range(30)]
    parts = {
        ACTUAL: actual,
        ESTIMATED: [1_300 if turn in (3, 4, 17) else 0 for turn in range(30)],
        STORE: [14_100 if turn == 24 else 0 for turn in range(30)],
        METER: [3_000 if turn == 24 else 0 for turn in range(30)],
    }
    ticks, spare = [(turn, days[turn]) for turn in (0, 10, 20)], [(turn, days[turn]) for turn in (5, 15, 25)]
    words = {3: "6 %", 4: "6 %", 17: "6 %", 24: "to 17:30"}
    return {
        "a cycle, a part of it estimated": Stacks("Usage by day", ("day", "days"), days, ticks, parts, spare, words),
        "no day has any": Stacks("Nothing by day", ("day", "days"), days, ticks, {ACTUAL: [0] * 30}),
    }


def line_charts() -> dict[str, Lines]:
    """By the name of its state."""
    known, ahead = list(range(19)), list(range(18, 31))
    bill = [float(7 * day) for day in known]
    way = [[bill[-1] + step * (day - 18) for day in ahead] for step in (3.5, 5.5, 8.5)]
    ticks = [(0.0, "Aug 01"), (15.0, "Aug 16"), (30.0, "Aug 31")]
    spare = [(7.5, "Aug 08"), (22.5, "Aug 23")]
    fan = Lines(
        "Bill of the cycle by day, and where it goes",
        (0, 30),
        ticks,
        dollars,
        [Line(KNOWN, "the bill by now", known, bill, "$126"), Line(MIDDLE, "the middle of the ways it may go", ahead, way[1], "$192")],
        [Band("eight of ten ways", ahead, way[0], way[2], "$168 to $228")],
        rules=[Rule(180, "$180", "what was agreed")],
        spare=spare,
    )  # fmt: skip
    credit = [bill[-1], *(one - 100 if day > 24 else one for day, one in zip(ahead, way[1], strict=True))][1:]
    return {
        "a fan": fan,
        "three ways on, one over an edge": replace(
            fan,
            lines=[
                Line(KNOWN, "on VEE data", known[:-1], bill[:-1]),
                Line(FRESH, "with the gap", known[-2:], bill[-2:]),
                Line(MIDDLE, "the middle", ahead, credit, "$92"),
                Line(LOW, "the low end", ahead, way[0], "$168"),
                Line(HIGH, "the high end", ahead, [one - 100 for one in way[2]], "$128"),
            ],
            bands=(),
            rules=(),
            points=[Point(DOT, "told", 18.4, 128), Point(DIAMOND, "re-billed", 18, 126)],
            moments=[Moment(18, "the call")],
            shaded=(16, 30),
        ),
        "below nought": replace(fan, lines=[Line(KNOWN, "a roof's bill", known, [20 - 4 * one for one in known])], bands=(), rules=()),
        "nothing yet": replace(fan, lines=(), bands=(), rules=()),
    }  # fmt: skip


def row_charts() -> dict[str, Rows]:
    """By the name of its state."""
    names = ["interval.missing", "interval.spike", "register.backwards"]
    first, later = Marks(ACTUAL, "first run", [1_234, 40, 1]), Marks(ESTIMATED, "later runs", [30, None, 2])
    points = [Marks(STORE, "precision", [0.99, 1, 0]), Marks(ACTUAL, "seen", [0.99, 0.4, None])]
    swings = [Marks(ACTUAL, "low", [-2.5, 0.0, None], [0.4, None, None]), Marks(METER, "high", [3.0, 1.0, -0.5])]
    return {
        "bars of two runs": Rows("Findings by rule", names, _whole, [first, later]),
        "the same by powers of ten": Rows("Findings by rule", names, _whole, [first, later], powers=True),
        "points, and a target": Rows("Shares", names, lambda at: f"{at:g}", points=points, rules=[Rule(0.97, "", "target, 0.97")]),
        "both ways from nought": Rows("Swings", names, lambda at: f"{at:g}", swings, told=False),
        "no row": Rows("Nothing", [], _whole, [Marks(ACTUAL, "none", [])]),
    }  # fmt: skip


def shade_charts() -> dict[str, Shades]:
    """By the name of its state."""
    shares = [abs(hour - 12) / 12 for hour in range(24)]
    rows = [ShadeRow("busy at night", shares, "100 %"), ShadeRow("nothing asked till noon", [None] * 12 + [0.5] * 12)]
    ticks = [(hour, str(hour)) for hour in range(0, 24, 6)]
    return {"a day": Shades("Shares by hour", rows, ticks, "bad"), "no row": Shades("Nothing", [], ticks, "accent")}


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def lane_charts() -> dict[str, Lanes]:
    """By the name of its state."""
    ticks, spare = [(0.0, "08-11"), (24.0, "08-12")], [(12.0, "12:00"), (36.0, "12:00")]
    lanes = [
        Lane("Actions", "accent", [Span(41.7, 41.7, "call-0001"), Span(41.8, 41.8, "call-0002"), Span(45, 45, "read")]),
        Lane("Posted to SMT", "good", [Span(6, 6, "08-10"), Span(30, 30, "08-11")]),
        Lane("Faults of this meter", "bad", [Span(0, 3, "dead"), Span(20, 60, "clock_back")]),
        Lane("Nothing of it", "aside", [Span(90, 91, "later")]),
    ]
    return {"a run": Lanes("Timeline of a run", (0, 48), ticks, lanes, spare)}


def part_bars() -> dict[str, list[Part]]:
    """By the name of its state."""
    owed = [
        Part(ACTUAL, "validated", 189.29, "$189.29"),
        Part(ESTIMATED, "estimated", 10.31, "$10.31"),
        Part(STORE, "not validated", 14.68, "$14.68"),
        Part(EXPECTED, "expected", 6.04, "$6.04"),
    ]
    return {"what a bill rests on": owed, "one part": owed[:1]}


def bills() -> dict[str, MoneyParts]:
    """By the name of its state."""
    fixed = MoneyRow("", "charges by the day, credits, fees", 0, 0, Decimal("1.69"), 0, Decimal("1.69"))
    vee = MoneyRow(ACTUAL, "VEE actual", 1056, 792_316, Decimal("171.97"), 792_316, Decimal("171.97"))
    estimated = MoneyRow(ESTIMATED, "VEE estimated", 8, 1_300, Decimal("0.31"), 1_300, Decimal("0.31"))
    ahead = MoneyRow(EXPECTED, "expected", 76, 54_452, Decimal("11.82"))
    read = [
        MoneyRow(STORE, "non-VEE from the store", 64, 46_200, Decimal("10.03")),
        MoneyRow(METER, "non-VEE from the meter", 12, 12_217, Decimal("2.65")),
    ]
    beside = ahead._replace(intervals=0, wh=0, usd=Decimal(0), other_wh=54_452, other_usd=Decimal("11.82"))
    both = [vee, estimated, *read, beside, fixed]
    alone = MoneyParts([vee, ahead, fixed], Total(846_768, Decimal("185.48")))
    return {
        "told without a read": alone,
        "with the read, beside it without": MoneyParts(
            both, Total(852_033, Decimal("186.65")), "without the read", Total(848_068, Decimal("185.79"))
        ),
        "a part of the gap did not come": MoneyParts([vee, read[0], ahead, fixed], Total(892_968, Decimal("195.51"))),
        "it does not add up": replace(alone, total=Total(846_769, Decimal("185.49"))),
        "nothing used yet": MoneyParts([fixed], Total(0, Decimal("1.69"))),
    }


def fans() -> dict[str, Fan]:
    """By the name of its state."""
    chart = replace(line_charts()["a fan"], label="kWh of the cycle so far, and where it may go")
    rows = [
        BillRow("Nine of ten end above (P10)", "943.120", "$98.02", ""),
        BillRow("In the middle (P50)", "1,002.417", "$108.20", ""),
        BillRow("Nine of ten end below (P90)", "1,061.900", "$214.66", ""),
    ]
    table = Table(
        ["Up to", "P10, kWh", "P50, kWh", "P90, kWh"], [["Sat Aug 15 00:00 CDT", "943.120", "1,002.417", "1,061.900"]]
    )
    edge = Side(
        "bill credit of $100.00 is earned at 1,000 kWh", "1,000 kWh", "69.412 kWh to go", 52, "$108.20", "$210.40"
    )
    return {
        "either side of an edge": Fan(chart, table, rows, [edge]),
        "an edge that is passed, and one out of reach": Fan(
            chart,
            table,
            rows,
            [
                edge._replace(to_go="passed by 0.000 kWh", odds=100, short=""),
                edge._replace(edge="energy price changes above 2,000 kWh", at="2,000 kWh", odds=0, reached=""),
            ],
        ),
        "a short history": Fan(chart, table, rows, short="Only 3 whole days before are known: the range is wide."),
    }  # fmt: skip


def rebills() -> dict[str, Rebilled]:
    """By the name of its state."""
    told = [BillRow("Told to the caller", "852.033", "$186.65"), BillRow("of it not validated", "58.417", "$12.68")]
    rest = [
        BillRow("On VEE data", "851.902", "$186.62"),
        BillRow("Told less VEE", "0.131", "$0.03"),
        BillRow("Allowed either way, 2 % or $1.00", "", "$3.73"),
    ]
    at = ["Made at Thu Aug 13 12:00 CDT, to the same instant."]
    lines = [("Energy charge, 851.902 kWh", "$158.03"), ("Total, with tax", "$186.62")]
    off = [rest[0]._replace(usd="$180.01"), rest[1]._replace(usd="$6.64"), rest[2]]
    return {
        "to come": Rebilled("The bill told is made again once VEE data are posted.", "waits", told, at),
        "within what is allowed": Rebilled("VEE data bear the bill out.", "good", [*told, *rest], at, lines),
        "further off": Rebilled("VEE data do not bear the bill out.", "bad", [*told, *off], at, lines),
    }


def speeches() -> dict[str, list[list[Piece]]]:
    """By the name of its state."""
    owed = "You owe about $410.76 by now ($408.00 to $412.70 in eight of ten), with tax."
    return {
        "each number leads to where it comes from": said(
            [owed, "That is for 846.768 kWh."], {"$410.76": "top", "846.768": "top"}
        ),
        "from the books alone": said(["On our books: last bill $131.07, paid $131.07, $0.00 due 2026-08-02."], {}),
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
        stacked=stack_charts(),
        lined=line_charts(),
        laned=lane_charts(),
        lying=row_charts(),
        shaded=shade_charts(),
        parted=part_bars(),
        bills=bills(),
        fans=fans(),
        rebills=rebills(),
        speeches=speeches(),
        told=Table(["What", "Value"], [["what the chart draws", "1.000"]]),
        requests=requests(),
        problem=Problem("day", "There is no such day: 2026-02-30.", "Write it as 2026-08-12."),
    )
