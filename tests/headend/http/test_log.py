"""Lines of the log, and where they go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headend.http.log import LOG, logging_to, tell
from headend.ports import HeadEndError


def test_a_line_has_its_event_and_the_facts_that_are_known_and_comes_after_those_of_before(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("before\n")
    with logging_to(str(log)):
        tell("VEE partition", day="2026-08-12", run=0, call="", meter=None, word="Ü")
    tell("VEE partition", day="2026-08-13")
    first, line = log.read_text("utf-8").splitlines()
    told = json.loads(line)
    assert (first, told.pop("time")[10:11]) == ("before", "T")
    assert told == {"level": "info", "event": "VEE partition", "day": "2026-08-12", "run": 0, "word": "Ü"}


def test_a_dash_is_standard_error_and_no_target_no_log(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to("-"):
        tell("here")
    with logging_to(""):
        tell("nowhere")
    out, err = capsys.readouterr()
    assert (out, json.loads(err)["event"]) == ("", "here")


def test_after_a_log_everything_is_as_it_was(tmp_path: Path) -> None:
    before = LOG.level, LOG.propagate, LOG.handlers[:]
    with pytest.raises(ZeroDivisionError), logging_to(str(tmp_path / "x.log")):
        raise ZeroDivisionError
    assert (LOG.level, LOG.propagate, LOG.handlers) == before


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(HeadEndError) as caught, logging_to(str(tmp_path)):
        pass
    assert (caught.value.code, caught.value.place) == ("log.unusable", str(tmp_path))
    assert caught.value.mend == "Name another file with --log."
