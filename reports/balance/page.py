"""A statement as a page of its own: what is owed first, then where it goes, the day, and what was left out of the file."""

from __future__ import annotations

from pathlib import Path

from meters.calendar import local
from reports.balance.chart import cycle_chart, hours_chart
from simulator.ror.billing.money import kwh, money
from simulator.ror.errors import RorError
from simulator.ror.files.read import UsageFile
from simulator.ror.statement import Statement
from simulator.web.frame import framed, templates


def page(told: Statement, usage: UsageFile) -> str:
    """HTML that needs no other file."""
    body = (
        templates(Path(__file__).parent)
        .get_template("page.html.j2")
        .render(
            told=told,
            usage=usage,
            sentences=told.sentences(),
            cycle=cycle_chart(told),
            hours=hours_chart(told),
            kwh=kwh,
            money=money,
        )
    )
    about = f"{told.plan.name}, cycle {told.account.cycle_first} to {told.account.cycle_last}."
    return framed("Balance", about, f"as of {local(told.at):%Y-%m-%d %H:%M}", body)


def write_page(told: Statement, usage: UsageFile, folder: Path) -> Path:
    """Write it as ``balance.html``. Raises RorError where it cannot be."""
    path = folder / "balance.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(page(told, usage), encoding="utf-8")
    except OSError as error:
        text = f"The page cannot be written: {error.strerror}."
        raise RorError("ror.balance.html", text, str(path), "Name another --html.") from None
    return path
