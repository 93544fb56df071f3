"""A few hundred of the mutations that ``make lse-mutations`` plays a hundred thousand of, and that the other reading is no yes-man."""

from __future__ import annotations

import pytest

from headend.lse.writer import dumps
from tests.headend.lse.mutations import play
from tests.headend.lse.plain import right_records
from tests.headend.lse.test_lse import _record


def test_mutated_files_are_read_alike_by_two_readings_and_answered() -> None:
    played = play(400, 1)
    assert played.right > 100
    assert {"00", "01", "02", "03", "F2"} <= played.codes.keys()


@pytest.mark.parametrize("change", [(b"Y,N", b"N,N"), (b",900,", b",60,"), (b"0.098,A", b"0.0985,A"), (b",4,", b",2,")])
def test_the_other_reading_takes_no_wrong_record(change: tuple[bytes, bytes]) -> None:
    content = dumps([_record()])
    assert right_records(content).keys() == {1}
    assert right_records(content.replace(*change, 1)) == {}
