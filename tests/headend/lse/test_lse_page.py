"""``docs/lse-format.md`` is what the code makes of it, and its file to copy is right."""

from __future__ import annotations

import re

from headend.lse.reader import read
from headend.lse.warned import warnings_of
from tests.headend.lse.pages import PAGE, page


def test_the_page_s_parts_are_those_that_the_code_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run 'make pages'"


def test_the_file_to_copy_is_right() -> None:
    text = PAGE.read_text(encoding="utf-8")
    (copied,) = re.findall(r"^```\n(00000001,.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (name,) = re.findall(r"It is called `(\S+)`", text)
    found = read(copied.encode(), name)
    assert (len(found.records), found.findings, warnings_of(found.records, {})) == (1, (), [])


def test_every_mandatory_field_is_bold_and_no_other() -> None:
    """F2 is told of what must be there."""
    rows = re.findall(
        r"^\| (?:\*\*`\d+`\*\* )?\| \S.*? \| (\*\*)?([^|*]+)(?:\*\*)? \|", PAGE.read_text("utf-8"), re.MULTILINE
    )
    bold = {name.strip("` ") for mark, name in rows if mark}
    assert bold >= {"ESI ID", "channel", "start", "stop", "Y", "N", "interval length", "timestamp", "value", "status"}
    assert not bold & {"start reading", "stop reading", "unit of measure", "origin", "descriptor", "start-time"}
