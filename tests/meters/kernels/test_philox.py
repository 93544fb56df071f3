from __future__ import annotations

import numpy as np
import pytest

from meters.kernels.philox import philox4x32, words

#: counter, key, result: the published known answers of Random123 (kat_vectors, philox4x32 10).
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_gives_the_published_known_answers(counter: str, key: str, answer: str) -> None:
    c0, c1, c2, c3 = (np.uint64(int(word, 16)) for word in counter.split())
    k0, k1 = (np.uint64(int(word, 16)) for word in key.split())
    assert " ".join(f"{int(word):08x}" for word in philox4x32(c0, c1, c2, c3, k0, k1)) == answer


def test_words_are_the_low_and_the_high_half() -> None:
    assert [int(word) for word in words(0x1122334455667788)] == [0x55667788, 0x11223344]
    assert [int(word) for word in words(-1)] == [0xFFFFFFFF, 0xFFFFFFFF]
