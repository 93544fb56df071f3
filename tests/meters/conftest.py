"""The first example of a property compiles the kernels: hypothesis must not time it."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("ami", deadline=None)
settings.load_profile("ami")
