"""The simulator room's exception."""

from __future__ import annotations

from meters.errors import UserError


class SimulatorError(UserError):
    """A bad input to the simulator: a setting, a port, a policy, a study, a request."""
