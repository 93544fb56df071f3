"""The table of actions: each fact stands once, is got from every recording, and is told on the page."""

from __future__ import annotations

import httpx
import pytest
from pydantic import ValidationError

from meters.calendar import iso
from scenarios.actions.action import Seen
from scenarios.actions.market import balance_call, ror_files, usage_read
from scenarios.actions.table import ACTIONS
from scenarios.evidence import Evidence
from scenarios.parts.expected import INSTANT, LACKING
from scenarios.run import JudgedRun
from scenarios.run_wide import FACTS
from tests.scenarios.pages import LIBRARY, PAGE, library, page
from tests.scenarios.short import mutated


@pytest.mark.parametrize("do", ACTIONS)
def test_a_fact_stands_once_and_what_is_implied_is_one(do: str) -> None:
    row = ACTIONS[do]
    names = [fact.name for fact in row.facts]
    assert len(names) == len(set(names))
    assert set(row.required) <= set(names)
    assert row.doc.endswith((".", ")")), row.doc


def test_the_page_of_facts_is_made_of_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.scenarios.pages"


def test_the_page_of_the_library_is_made_of_the_files() -> None:
    assert LIBRARY.read_text(encoding="utf-8") == library(), "python -m tests.scenarios.pages"


def test_every_fact_has_a_value_of_its_form_or_none(balance_run: JudgedRun, last_bill_run: JudgedRun) -> None:
    seen: dict[tuple[str, str], int] = {}
    for run in (balance_run, last_bill_run):
        for action in run.recording.scenario.timeline:
            row = ACTIONS[action.do]
            for fact in row.facts:
                found = fact.got(row.seen(Evidence(run.recording, action.account), action))
                seen.setdefault((action.do, fact.name), 0)
                if found is not None and found is not LACKING:
                    seen[action.do, fact.name] += 1
                    # A value that it has can be expected of it.
                    written = iso(found) if fact.form is INSTANT else found
                    assert fact.form.model_validate(written).equals == found, fact.name
        for fact in FACTS:
            found = fact.got(Evidence(run.recording))
            assert fact.form.model_validate(found).equals == found, fact.name
    # What these runs have nothing of: no error, no hole, a portal that nobody reads.
    never = {name for (_, name), count in seen.items() if not count}
    assert never == {"error", "trouble"}


def test_facts_of_an_action_that_left_nothing_are_got_without_an_error(balance_run: JudgedRun) -> None:
    empty = mutated(
        balance_run.recording, lambda r: [r[part].clear() for part in ("actions", "ledger", "journal", "usage")]
    )
    for action in empty.scenario.timeline:
        row = ACTIONS[action.do]
        seen = row.seen(Evidence(empty, action.account), action)
        assert seen.record is None
        assert [fact.got(seen) for fact in row.facts]
        assert row.tell(seen)


#: What is told of an action that left nothing.
NOTHING = {
    **dict.fromkeys(
        ("portal_read", "ror_files", "load", "look", "tdsp_file", "await_files", "modbus", "read_meter", "registry_change", "party"),
        "Nothing recorded.",
    ),
    **dict.fromkeys(("attributes", "log_in", "http"), "No answer."),
    **dict.fromkeys(("customer_calls", "golden_bill"), "The retailer tells no bill."),
    "inquire": "The inquiry gets no reply.",
    "asks_smt": "Nobody was asked.",
}  # fmt: skip


@pytest.mark.parametrize("do", NOTHING)
def test_of_an_action_that_left_nothing_that_is_told(balance_run: JudgedRun, do: str) -> None:
    row = ACTIONS[do]
    seen = row.seen(Evidence(balance_run.recording), row.written.model_construct(do=do, ref="never", what="audit"))
    assert seen.record is None
    assert row.tell(seen) == NOTHING[do]


def test_a_call_that_needs_no_more_says_why_and_a_file_that_is_not_posted_what_went_wrong(
    last_bill_run: JudgedRun,
) -> None:
    evidence = Evidence(last_bill_run.recording)
    (call,) = last_bill_run.recording.scenario.timeline
    row = ACTIONS[call.do]
    assert row.tell(row.seen(evidence, call)).startswith("No on-demand request: ")
    posted = ACTIONS["tdsp_file"]
    left = posted.record.model_validate(
        {"at": "2026-08-12T09:00:00-05:00", "file": "a.lse", "trouble": "lse.site: It is shut.", "answers": []}
    )
    action = posted.written.model_construct(do="tdsp_file", ref="never")
    assert posted.tell(Seen(evidence, action, left)) == "The file is not posted. lse.site: It is shut."


def test_what_is_no_file_of_usage_holds_nothing_and_of_no_answer_none_is_told() -> None:
    assert balance_call._held(None) == ""
    assert ror_files._rows("notes.txt", b"a letter") == []
    assert [*usage_read._green_button(httpx.Response(200, text='{"errorCode": "AC1"}'))] == []
    assert [*usage_read._green_button(httpx.Response(200, text="<feed>"))] == []


@pytest.mark.parametrize(
    ("do", "written", "said"),
    [
        ("inquire", {}, "an INTERVALS inquiry"),
        ("inquire", {"start": "2026-08-12T10:00", "end": "2026-08-12T09:00"}, "an INTERVALS inquiry"),
        ("inquire", {"kind": "POWER", "start": "2026-08-12T10:00"}, "POWER"),
        ("asks_smt", {"door": "portal", "kind": "POWER"}, "a portal is asked for register reads alone"),
        ("golden_bill", {"golden": "nix"}, "there is no golden bill nix"),
    ],
)
def test_an_action_of_a_certification_that_cannot_be_is_refused(do: str, written: dict[str, str], said: str) -> None:
    row = ACTIONS[do]
    with pytest.raises(ValidationError, match=said):
        row.written.model_validate({"do": do, "ref": "it", "at": "2026-08-12T10:00", "expect": {}, **written})
