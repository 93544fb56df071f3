"""``ami balance`` as a user has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meters.errors import UserError
from tests.simulator.processes import invoked
from tests.simulator.ror.files.pages import FILE

HOME = (str(FILE), "--plan", "longhorn-thousand-24", "--cycle-first", "2026-07-16")


def asked(*words: str) -> str:
    done = invoked("balance", *words)
    assert done.exit_code == 0, done.exception or done.output
    return done.stdout


def test_the_file_of_the_docs_tells_both_outcomes_at_its_edge() -> None:
    told = asked(*HOME)
    assert told.startswith(
        "home.csv: SMT interval CSV (portal export) of ESI ID 10443729914555335: 3,264 quarter hours from "
    )
    assert "bill to date, $" in told
    assert "of 100 ways that the cycle may go reach it; the bill is about $" in told


def test_what_the_readme_shows_is_what_is_told() -> None:
    readme = (FILE.parents[2] / "README.md").read_text(encoding="utf-8")
    shown = readme.split("## Your own usage file", 1)[1].split("```")[3].strip().splitlines()
    told = asked(*HOME)
    assert len(shown) == 4
    for line in shown:
        assert f"\n{line.removesuffix(' ...')}" in told


def test_json_page_and_picture_tell_where_they_are(tmp_path: Path) -> None:
    png, html = tmp_path / "a.png", tmp_path / "pages"
    words = (
        "--png",
        str(png),
        "--html",
        str(html),
        "--cycle-last",
        "2026-08-13",
        "--zone",
        "NCENT",
        "--at",
        "2026-08-01T12:00",
    )
    told = json.loads(asked(*HOME, *words, "--json"))
    assert (told["png"], told["page"]) == (str(png), str(html / "balance.html"))
    assert png.exists()
    assert (html / "balance.html").exists()
    assert (told["cycle_last"], told["at"]) == ("2026-08-13", "2026-08-01T12:00:00-05:00")
    assert told["usage"]["left_out"] == 0
    assert told["pattern"]["beside"][0]["heat_wh"] is not None
    plain = asked(*HOME, *words).splitlines()
    assert plain[-2:] == [f"png: {png}", f"page: {html / 'balance.html'}"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("absent.csv", *HOME[1:]), "ror.file.unreadable"),
        ((HOME[0], "--plan", "absent", *HOME[3:]), "ror.plan"),
        ((*HOME[:4], "16.7.2026"), "ror.balance.day"),
        ((*HOME, "--cycle-last", "2026-07-15"), "ror.balance.cycle"),
        ((*HOME, "--at", "noon"), "calendar.instant.malformed"),
        ((*HOME, "--at", "2020-01-01T00:00"), "ror.balance.at"),
        ((*HOME, "--zone", "DALLAS"), "meters.zone.unknown"),
        ((*HOME, "--esiid", "10443720000000017"), "ror.file.esiid"),
    ],
)
def test_what_is_asked_wrongly_is_told_with_its_mend(words: tuple[str, ...], code: str) -> None:
    done = invoked("balance", *words)
    assert isinstance(done.exception, UserError), done.output
    assert done.exception.code.startswith(code)
    assert done.exception.mend
