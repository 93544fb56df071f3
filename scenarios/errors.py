"""The scenario room's exception."""

from __future__ import annotations

from meters.errors import UserError


class ScenarioError(UserError):
    """A scenario, a recording or a study that cannot be used as it is written."""
