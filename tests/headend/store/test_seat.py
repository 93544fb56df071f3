"""One process works on a head-end's database."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from headend.ports import HeadEndError
from headend.store.seat import take_seat


def engine(path: Path) -> sa.Engine:
    return sa.create_engine(f"sqlite:///{path}")


def test_a_second_head_end_is_refused_under_any_name_until_the_first_has_left(tmp_path: Path) -> None:
    (link := tmp_path / "link.sqlite").symlink_to(path := tmp_path / "headend.sqlite")
    path.touch()
    with take_seat(engine(path)):
        for name in (path, link):
            with pytest.raises(HeadEndError) as refused:
                take_seat(engine(name))
            assert (refused.value.code, refused.value.place) == ("headend.store.in_use", f"sqlite:///{name}")
            assert refused.value.mend == "Wait for it to end, or give this one another database."
    take_seat(engine(link)).close()


def test_a_file_with_two_names_is_refused_because_a_lock_beside_one_says_nothing_of_the_other(tmp_path: Path) -> None:
    (path := tmp_path / "headend.sqlite").touch()
    (other := tmp_path / "other.sqlite").hardlink_to(path)
    with pytest.raises(HeadEndError) as refused:
        take_seat(engine(other))
    assert (refused.value.code, refused.value.place) == ("database.linked", str(other))
    assert refused.value.mend == "Remove one of the names, or copy the file."


def test_a_database_in_memory_is_its_owners_alone() -> None:
    one = sa.create_engine("sqlite://")
    with take_seat(one), take_seat(one):
        pass
