"""What queueing theory says of a resource in its steady state: the closed forms, and beside a study's resources those whose conditions hold."""

from __future__ import annotations

import math
from typing import NamedTuple

from simulator.capacity.outcome import Observed

#: The longest span over which a day's demand is taken to be steady, seconds; and squared variations that are this near are the same [D].
STEADY_S, ALIKE = 7200.0, 0.05


def erlang_b(servers: int, offered: float) -> float:
    """Share of Poisson arrivals that find all servers busy and go away, whatever the law of service. offered: rate x mean service.

    Source: Erlang 1917, by the recursion over the servers, which no number of them overflows.
    """
    blocked = 1.0
    for one in range(1, servers + 1):
        blocked = offered * blocked / (one + offered * blocked)
    return blocked


def erlang_c(servers: int, offered: float) -> float:
    """Share of Poisson arrivals that wait for one of the servers, each of exponential service; 1 where the queue has no steady state.

    Source: Erlang 1917.
    """
    if offered >= servers:
        return 1.0
    blocked = erlang_b(servers, offered)
    return servers * blocked / (servers - offered * (1 - blocked))


def m_m_c(rate: float, served_s: float, servers: int) -> float:
    """Mean seconds of wait before the service, Poisson arrivals, exponential service; infinite without a steady state. rate: a second."""
    offered = rate * served_s
    return erlang_c(servers, offered) * served_s / (servers - offered) if offered < servers else math.inf


def m_g_1(rate: float, served_s: float, served_squared: float) -> float:
    """Mean seconds of wait before one server of any law, Poisson arrivals. served_squared: mean of the squared seconds of service.

    Source: Pollaczek and Khinchine. A service that is always the same (M/D/1) has the square of its mean.
    """
    rho = rate * served_s
    return rate * served_squared / (2 * (1 - rho)) if rho < 1 else math.inf


class Beside(NamedTuple):
    """A resource as it was, and as theory has it. Rates a second, times in seconds."""

    observed: Observed
    rate: float
    #: What one server does, and the share of them that is busy; infinite and 0 where nothing is served or nobody waits.
    served_rate: float
    rho: float
    #: Rate times time, which is the mean count of those that are there whatever the laws (Little).
    little: float
    #: The closed form; empty: none, and why.
    form: str
    why: str
    #: Mean time and count by it.
    time_s: float | None
    there: float | None


def beside(one: Observed) -> Beside:
    """Hold a resource to the closed form that its conditions allow: time and count, or Little's law alone."""
    rate = one.arrivals / one.span_s
    offered = rate * one.service_s
    rho = offered / one.servers if one.servers else 0.0
    form, why, wait_s = _form(one, rate)
    time_s = None if wait_s is None else wait_s + one.service_s
    return Beside(
        observed=one,
        rate=rate,
        served_rate=1 / one.service_s if one.service_s else math.inf,
        rho=rho,
        little=rate * one.time_s,
        form=form,
        why=why,
        time_s=time_s,
        there=None if time_s is None else rate * time_s,
    )


def _form(one: Observed, rate: float) -> tuple[str, str, float | None]:
    """The form's name, its conditions or why there is none, and the mean wait."""
    if not one.servers:
        return "M/G/∞", "nobody waits; any law of service, any curve of the demand", 0.0
    if one.span_s > STEADY_S:
        return "", f"the demand is not steady over {one.span_s / 3600:g} h", None
    if rate * one.service_s >= one.servers:
        return "", "more comes than is served", None
    if one.servers == 1:
        name = "M/D/1" if one.service_cv2 < ALIKE else "M/G/1"
        squared = one.service_s**2 * (1 + one.service_cv2)
        return (
            name,
            "Poisson arrivals, one server or several alike, first come first served",
            m_g_1(rate, one.service_s, squared),
        )
    if abs(one.service_cv2 - 1) < ALIKE:
        wait_s = m_m_c(rate, one.service_s, one.servers)
        return f"M/M/{one.servers}", "Poisson arrivals, exponential service, first come first served", wait_s
    return "", f"several servers, and a service that is not exponential (squared variation {one.service_cv2:.2g})", None
