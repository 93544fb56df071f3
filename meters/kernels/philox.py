"""Philox4x32-10: random numbers as a pure function of (key, counter), so nothing is stored and any draw can be repeated.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11; pinned by its known answers.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from meters.kernels.jit import kernel

#: A 32-bit word in a 64-bit unsigned integer: products of two words must not overflow.
Word = np.uint64

_MASK = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
#: The golden ratio and sqrt(3) - 1 as fractions of 2^32: what the key is bumped by after each round.
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_ROUNDS = 10


@kernel
def philox4x32(c0: Word, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word) -> tuple[Word, Word, Word, Word]:
    """Four random 32-bit words for a 128-bit counter and a 64-bit key, each given as 32-bit words in uint64."""
    for _ in range(_ROUNDS):
        product_0 = _MULTIPLIER_0 * c0
        product_1 = _MULTIPLIER_1 * c2
        c0 = (product_1 >> _HALF) ^ c1 ^ k0
        c1 = product_1 & _MASK
        c2 = (product_0 >> _HALF) ^ c3 ^ k1
        c3 = product_0 & _MASK
        k0 = (k0 + _WEYL_0) & _MASK
        k1 = (k1 + _WEYL_1) & _MASK
    return c0, c1, c2, c3


@lru_cache(maxsize=4096)
def words(value: int) -> tuple[Word, Word]:
    """The low and the high 32-bit word of an integer taken modulo 2^64."""
    return np.uint64(value & 0xFFFFFFFF), np.uint64((value >> 32) & 0xFFFFFFFF)
