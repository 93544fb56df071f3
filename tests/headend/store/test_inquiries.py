"""The inquiries that a head-end has accepted, over a database that is opened again."""

from __future__ import annotations

from pathlib import Path

from headend.store.inquiries import Acceptance, OpenInquiry
from headend.store.store import HeadEndStore
from headend.wire import InquiryRequest
from meters.calendar import seconds

AT = seconds(1_786_554_000)


def _asked(key: str, esiid: str = "10443720000000017") -> InquiryRequest:
    return InquiryRequest.model_validate(
        {
            "correlationId": key,
            "kind": "REGISTER",
            "esiid": esiid,
            "meterAllowed": True,
            "answerBy": "2026-08-12T17:45:00-05:00",
            "replyTo": "http://127.0.0.1:8600/callbacks/inquiries",
        }
    )


def test_an_inquiry_is_taken_once_and_another_may_not_have_its_id(tmp_path: Path) -> None:
    store = HeadEndStore(f"sqlite:///{tmp_path / 'headend.sqlite'}")
    first, changed = _asked("1"), _asked("1", "10443720000000025")
    assert [store.inquiries.accept(one, AT) for one in (first, first, changed)] == [
        Acceptance.TAKEN,
        Acceptance.KNOWN,
        Acceptance.OTHER,
    ]
    store.close()


def test_what_has_not_ended_is_there_again_with_what_is_to_be_called_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'headend.sqlite'}"
    store = HeadEndStore(url)
    for key, at in (("2", AT), ("1", AT), ("3", AT - 5)):
        store.inquiries.accept(_asked(key), at)
    store.inquiries.keep_result("1", '{"outcome": "DONE"}')
    store.inquiries.end("3", AT, "called back")
    assert store.inquiries.count_open() == 2
    store.close()
    again = HeadEndStore(url)
    assert again.inquiries.unended() == [
        OpenInquiry(_asked("1"), '{"outcome": "DONE"}'),
        OpenInquiry(_asked("2"), ""),
    ]
    # It has ended, and is known still.
    assert again.inquiries.accept(_asked("3"), AT) is Acceptance.KNOWN
    again.close()
