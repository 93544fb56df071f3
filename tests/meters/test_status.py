"""Status words of several meters at an ESI ID."""

from __future__ import annotations

import numpy as np

from meters.status import Common, Condition, of_several, status_word


def test_of_several_meters_every_flag_is_told_and_of_each_channel_the_highest_condition() -> None:
    failed, clock = (status_word(flag, Condition.OK) for flag in (Common.POWER_FAIL, Common.CLOCK_BACK))
    partial, stopped = (status_word(0, one) for one in (Condition.PARTIAL, Condition.STOPPED))
    words = np.array([[failed, partial, 0], [clock, stopped, 0x0040]], dtype=np.uint16)
    assert of_several(words).tolist() == [failed | clock, stopped, 0x0040]
