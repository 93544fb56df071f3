"""Passwords as they are kept: how one is hashed and held against its hash, and which hashes from elsewhere are taken."""

from __future__ import annotations

from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from simulator.smt.registry.records import User

# Low cost on purpose: the logins are invented ones that the sandbox prints anyway, and log-ins are checked one after the other.
# One pass over 1 MiB takes about a millisecond; real accounts would need some fifty times that.
_HASHER = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1),))
#: Version, and the most that a hash may cost: 64 MiB, ten passes, eight lanes. Log-ins wait for one another. Defaults of this project.
_VERSION, _MOST_KIB, _MOST_PASSES, _MOST_LANES = 19, 65_536, 10, 8


def hash_fault(password_hash: str) -> str:
    """What is wrong with an Argon2 hash that comes from elsewhere; empty if a password can be held against it, in a time to be borne."""
    try:
        parameters = extract_parameters(password_hash)
    except InvalidHashError:
        return "It is no Argon2 hash."
    if parameters.version != _VERSION or parameters.hash_len < 16 or parameters.salt_len < 8:
        return f"It is not of version {_VERSION}, or its salt or digest is too short."
    if (
        parameters.memory_cost > _MOST_KIB
        or parameters.time_cost > _MOST_PASSES
        or parameters.parallelism > _MOST_LANES
    ):
        return f"A log-in would cost too much: at most m={_MOST_KIB}, t={_MOST_PASSES}, p={_MOST_LANES}."
    return ""


def hash_password(password: str) -> str:
    """The Argon2 hash to keep of a password."""
    return _HASHER.hash(password)


def password_is(user: User, password: str) -> bool:
    """Whether the password is the user's. Safe to call from any thread."""
    return _HASHER.verify(password, user.password_hash)
