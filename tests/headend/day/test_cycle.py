"""What a posting that ended in the middle leaves for the next start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from headend.boundaries import DAY_BOUNDARIES
from headend.day.cycle import POSTING_TRIES
from headend.day.due import validate_due
from headend.day.validated import validate_partition
from headend.lse import writer as lse
from headend.ports import HeadEndError
from headend.store.partitions import Partition
from headend.store.store import HeadEndStore
from headend.vee.preset import Preset
from headend.vee.quality import Method
from meters.calendar import epoch
from tests.headend.day.at_once import DAY, DUNS, ESIIDS, read, validated_and_posted


class _Site:
    """A site that knows a few names already."""

    def __init__(self, *used: str) -> None:
        self.used = set(used)
        self.asked: list[str] = []

    async def post(self, name: str, _content: bytes) -> None:
        self.asked.append(name)
        if name in self.used:
            raise HeadEndError("headend.posting.name_used", "Other octets were posted.", "site", "Take another.")


def posted(store: HeadEndStore, site: _Site, at: str, esiids: Sequence[str] = (), day: date = DAY) -> list[str]:
    return validated_and_posted(store, site.post, at, esiids, day)


def begun(store: HeadEndStore, name: str, day: date = DAY) -> Partition:
    """A day without meters whose posting has begun under a name."""
    at = epoch("2026-08-13T07:30")
    store.partitions.begin(day, [], 3, at)
    (partition,) = store.partitions.of_day(day)
    validate_partition(store, [], partition, Preset(), lambda: at)
    return store.partitions.named(partition, name, at)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HeadEndStore]:
    kept = HeadEndStore(f"sqlite:///{tmp_path / 'headend.db'}")
    yield kept
    kept.close()


def name(stamp: str, counter: int = 1) -> str:
    return f"{DUNS}IntervalData20260813{stamp}{counter:03d}.lse"


def test_a_posting_that_ended_in_the_middle_is_sent_again_under_its_name(store: HeadEndStore) -> None:
    site, kept = _Site(), name("073000")
    begun(store, kept)
    assert posted(store, site, "2026-08-13T09:00") == [kept]
    assert [file.name for file in store.posted_files()] == site.asked == [kept]
    assert store.partitions.unposted_days() == []


def test_where_other_octets_were_posted_under_its_name_a_day_goes_under_another(store: HeadEndStore) -> None:
    kept, new = name("073000"), name("090000")
    site = _Site(kept)
    begun(store, kept)
    assert posted(store, site, "2026-08-13T09:00") == [new]
    assert site.asked == [kept, new]


@pytest.mark.parametrize("sent", [False, True])
def test_what_comes_late_before_a_named_file_is_posted_goes_out_once_and_in_a_file_of_its_own(
    store: HeadEndStore, sent: bool
) -> None:
    at_site: dict[str, bytes] = {}

    async def dies(name: str, content: bytes) -> None:
        if sent:
            at_site[name] = content
        raise KeyboardInterrupt

    async def post(name: str, content: bytes) -> None:
        if at_site.setdefault(name, content) != content:
            raise HeadEndError("headend.posting.name_used", "Other octets were posted.", "site", "Take another.")

    read(store, ESIIDS[:2], DAY, "2026-08-13T00:30")
    with pytest.raises(KeyboardInterrupt):
        validated_and_posted(store, dies, "2026-08-13T07:30", ESIIDS[:3])
    read(store, ESIIDS[2:3], DAY, "2026-08-13T20:00")
    names = name("073000"), name("073000").replace("0813", "0814")
    assert tuple(validated_and_posted(store, post, "2026-08-14T07:30", ESIIDS[:3])) == names
    first, second = (list(lse.read(at_site[file], file).records) for file in names)
    assert [(one.esiid, one.estimated.tolist()) for one in first] == [
        (esiid, [esiid == ESIIDS[2]] * 96) for esiid in ESIIDS[:3]
    ]
    assert [(one.esiid, one.estimated.tolist(), one.wh.tolist()) for one in second] == [
        (ESIIDS[2], [False] * 96, [100] * 96)
    ]


def test_a_posting_that_is_given_up_keeps_its_name_for_the_next_time(store: HeadEndStore) -> None:
    asked = []

    async def away(name: str, _content: bytes) -> None:
        asked.append(name)
        raise HeadEndError("headend.posting.refused", "Nothing listens there.", "site", "Try again.")

    read(store, ESIIDS[:4], DAY, "2026-08-13T00:30")
    assert validated_and_posted(store, away, "2026-08-13T07:30", ESIIDS[:4]) == []
    assert asked == [name("073000")] * POSTING_TRIES
    assert [one[2:] for one in states(store)] == [("named", name("073000")), ("validated", "")]
    assert posted(store, _Site(), "2026-08-14T07:30", ESIIDS[:4]) == [
        name("073000"),
        name("073000").replace("0813", "0814"),
    ]


def test_a_name_that_was_begun_or_posted_is_no_other_files(store: HeadEndStore) -> None:
    begun(store, name("073000"), date(2026, 8, 11))
    store.partitions.posted(begun(store, name("073000", 2), date(2026, 8, 10)), epoch("2026-08-13T07:30"), 0)
    assert posted(store, _Site(), "2026-08-13T07:30") == [name("073000"), name("073000", 3)]


def test_names_of_a_second_that_has_no_more_go_on_in_the_next(
    store: HeadEndStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.partitions, "names", lambda: {name("073000", counter) for counter in range(1, 1000)})
    assert posted(store, _Site(), "2026-08-13T07:30", ESIIDS[:6]) == [name("073000", 0), name("073001", 1)]


def states(store: HeadEndStore, day: date = DAY) -> list[tuple[int, int, str, str]]:
    return [(one.run, one.part, one.state, one.name) for one in store.partitions.of_day(day)]


def test_a_day_is_cut_into_partitions_of_about_equal_length_each_posted_in_a_file(store: HeadEndStore) -> None:
    site = _Site()
    read(store, ESIIDS, DAY, "2026-08-13T00:30")
    files = [name("073000", counter) for counter in (1, 2, 3)]
    assert posted(store, site, "2026-08-13T07:30", ESIIDS) == files
    assert states(store) == [(1, part, "posted", file) for part, file in enumerate(files, 1)]
    assert [one.among(ESIIDS) for one in store.partitions.of_day(DAY)] == [ESIIDS[:2], ESIIDS[2:4], ESIIDS[4:]]
    assert [file.records for file in store.posted_files()] == [2, 2, 3]
    # A meter that has come since is of one of them.
    assert [one.among(["1", "9"]) for one in store.partitions.of_day(DAY)] == [["1"], [], ["9"]]


def test_what_comes_late_is_validated_alone_by_the_profile_that_the_others_had(store: HeadEndStore) -> None:
    site = _Site()
    read(store, ESIIDS[:6], DAY, "2026-08-13T00:30")
    posted(store, site, "2026-08-13T07:30", ESIIDS)
    # Forty intervals of the last come late; the gap is longer than a line may be, and nothing like the day is held.
    read(store, ESIIDS[6:], DAY, "2026-08-14T00:10", until=40)
    looked_at = []
    given = store.day
    store.day = lambda esiids, day: looked_at.append(list(esiids)) or given(esiids, day)  # type: ignore[func-returns-value,method-assign]
    assert posted(store, site, "2026-08-14T07:30", ESIIDS)[0].endswith("20260814073000001.lse")
    assert looked_at[0] == ESIIDS[6:]
    held = store.vee.day(ESIIDS[6:], DAY).delivered
    assert held.method[0, 40:].tolist() == [Method.PROFILE] * 56
    assert held.wh[0].tolist() == [100] * 96
    assert [(run, part) for run, part, _, _ in states(store)] == [(1, 1), (1, 2), (1, 3), (2, 3)]
    # Nothing has come since, and what was seen is not looked at again.
    looked_at.clear()
    posted(store, site, "2026-08-15T07:30", ESIIDS, date(2026, 8, 14))
    assert all(esiids != ESIIDS[6:] for esiids in looked_at)


def test_what_comes_late_and_changes_nothing_is_no_correction_and_is_seen_once(store: HeadEndStore) -> None:
    read(store, ESIIDS, DAY, "2026-08-13T00:30")
    posted(store, _Site(), "2026-08-13T07:30", ESIIDS)
    read(store, ESIIDS[:1], DAY, "2026-08-13T20:00")
    (done,) = validate_due(store, ESIIDS, DAY, Preset(), lambda: epoch("2026-08-14T01:00"))
    assert (done.again, done.told["meters"]) == (True, 1)
    assert {run for run, _, _, _ in states(store)} == {1}
    assert validate_due(store, ESIIDS, DAY, Preset(), lambda: epoch("2026-08-15T01:00")) == []


#: What is passed in the process itself: the site's boundary lies behind its wire.
WITHIN = [one for one in DAY_BOUNDARIES if one != "headend.posting"]


@pytest.mark.parametrize(
    ("state", "turn"), [(one, turn) for one in WITHIN for turn in (1, 3) if turn == 1 or "planned" not in one]
)
def test_a_day_that_ended_between_two_states_goes_on_and_is_posted_once(
    store: HeadEndStore, monkeypatch: pytest.MonkeyPatch, state: str, turn: int
) -> None:
    site, passed = _Site(), []
    read(store, ESIIDS, DAY, "2026-08-13T00:30")

    def dies(name: str) -> None:
        passed.append(name)
        if passed.count(name) == turn and name == state:
            raise KeyboardInterrupt(name)

    with monkeypatch.context() as killed:
        for module in ("headend.store.partitions", "headend.store.vee_days"):
            killed.setattr(f"{module}.boundary", dies)
        with pytest.raises(KeyboardInterrupt):
            posted(store, site, "2026-08-13T07:30", ESIIDS)
    before = states(store)
    posted(store, site, "2026-08-13T09:00", ESIIDS)
    assert store.posted_days() == {DAY}
    after = states(store)
    assert [one[:3] for one in after] == [(1, part, "posted") for part in (1, 2, 3)]
    # A name that was begun stays; each file was sent under one.
    assert all(then[3] in ("", now[3]) for then, now in zip(before, after, strict=bool(before)))
    assert (
        sorted(set(site.asked)) == sorted(file.name for file in store.posted_files()) == sorted(one[3] for one in after)
    )
    # Run once more, nothing is validated and nothing posted.
    assert posted(store, site, "2026-08-13T10:00", ESIIDS) == []
    assert states(store) == after
