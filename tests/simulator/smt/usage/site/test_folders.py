"""The folders on disk: a file is laid whole or not at all, a new one takes no other's place, and one that is laid again is the one that lies there."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.smt.usage.site.folders import Homes


@pytest.fixture
def homes(tmp_path: Path) -> Homes:
    return Homes(tmp_path, ["oncor.headend", "pecanbend.api"])


def test_what_is_laid_again_must_be_the_same(homes: Homes) -> None:
    homes.lay("pecanbend.api", "one.lse", b"first")
    homes.lay("pecanbend.api", "one.lse", b"first")
    for laying in (homes.lay, homes.add):
        with pytest.raises(FileExistsError):
            laying("pecanbend.api", "one.lse", b"other")
    assert (homes.home("pecanbend.api") / "one.lse").read_bytes() == b"first"
    assert [path.name for path in homes.home("pecanbend.api").iterdir()] == ["one.lse"]
    assert homes.has("pecanbend.api", "one.lse")
    assert not homes.has("oncor.headend", "one.lse")


def test_where_a_folder_lies_under_the_name_nothing_is_laid(homes: Homes) -> None:
    (homes.home("pecanbend.api") / "one.lse").mkdir()
    with pytest.raises(FileExistsError):
        homes.lay("pecanbend.api", "one.lse", b"first")
    with pytest.raises(OSError, match=r"one\.lse"):
        homes.put("pecanbend.api", "one.lse", b"first")
    assert [path.name for path in homes.home("pecanbend.api").iterdir()] == ["one.lse"]


def test_a_file_takes_the_place_of_one_of_its_name_where_it_is_put(homes: Homes) -> None:
    for content in (b"first", b"second"):
        homes.put("oncor.headend", "one.lse.result.csv", content)
    assert (homes.home("oncor.headend") / "one.lse.result.csv").read_bytes() == b"second"
    assert [path.name for path in homes.home("oncor.headend").iterdir()] == ["one.lse.result.csv"]
