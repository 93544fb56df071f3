"""What page and document say in the same words: effects, what turns a clause or the answer, an assumption at an end of its range."""

from __future__ import annotations

from collections.abc import Sequence

from reports.capacity.clauses import Effect, Held, Moved, Tried, rivals
from reports.capacity.compare import AIR, TOLD, USD, Judged, listed
from simulator.capacity.outcome import Assumption, Outcome, Value

MARKS = "[V] read in a public source, [S] read second-hand, [C] derived from such facts, [M] measured, [D] a default of this project."


def signed(value: float, digits: int = 1) -> str:
    """A difference; nothing is neither more nor less."""
    text = f"{value:+.{digits}f}"
    return text if any(one in "123456789" for one in text) else text[1:]


def plus_minus(half: float | None, scale: float = 1.0) -> str:
    """Half of an interval behind its mean, if it is known."""
    return "" if half is None else f" ± {scale * half:.1f}"


def effect(one: Effect) -> str:
    """What a clause does to a measure."""
    by, relative = one.by, one.relative
    if one.judged is AIR:
        if relative.mean is None:
            return "tries at meters: none without it"
        return f"tries at meters {signed(100 * relative.mean)} %{plus_minus(relative.half, 100)}"
    if by.mean is None:
        return ""
    name, unit = (
        ("the bill told off by", "cents") if one.judged is USD else (one.judged.title.lower().rstrip(" %,"), "points")
    )
    least, most = (signed(100 * of) for of in (one.least, one.most))
    return f"{name} {signed(100 * by.mean)} {unit}{plus_minus(by.half, 100)} on {one.workload} ({least} to {most} over all)"


def effects(one: Held) -> str:
    """What a clause does."""
    return "; ".join(text for text in map(effect, one.effects) if text)


def trade(one: Held) -> str:
    """What is got for what."""
    told = next(of.by.mean or 0.0 for of in one.effects if of.judged is TOLD)
    more = "more callers are told in the call, and the bill that callers are told is further off"
    return more if told > 0 else "the bill that callers are told is less far off, and fewer are told in the call"


def what_turns(one: Held) -> str:
    """Which assumption would turn a clause; where it was moved on less than the verdict is of, what comes out there with nothing moved."""
    if one.tried is None:
        return "Not tried: no assumption was moved under both policies."
    turned = [(at, str(of)) for at, of in one.turned]
    if one.there is one.verdict:
        return f"On {on(one.tried)}: {_turns(turned, one.tried)}"
    of = "the one assumption was" if one.tried.assumptions == 1 else f"the {one.tried.assumptions} assumptions were"
    begins = f'Not known: {of} moved on {on(one.tried)}, alone, where with nothing moved it is not "{one.verdict}" but "{one.there}"'
    if not turned:
        return f"{begins}, and none turns that."
    return f"{begins}; that is turned by {_ends(turned)}."


def what_turns_the_answer(outcome: Outcome, judged: Judged) -> str:
    """Which assumption would make another policy the best of those under which it was moved."""
    found = rivals(outcome, judged)
    if found.tried is None:
        return "is not tried: no assumption was moved under more than one policy."
    by = "what is told" if judged is TOLD else "dollars"
    best = f"{listed(found.best) or 'none'} {'cannot be told apart' if len(found.best) > 1 else 'is best'} with nothing moved"
    turned = [(at, " or ".join(of)) for at, of in found.turned]
    return (
        f"by {by}, on {on(found.tried)}, among {listed(found.policies)}, of which {best}: {_turns(turned, found.tried)}"
    )


def _turns(turned: Sequence[tuple[Moved, str]], tried: Tried) -> str:
    of = "the one assumption" if tried.assumptions == 1 else f"the {tried.assumptions} assumptions"
    if not turned:
        return f"None of {of} moved turns it, at its low or its high."
    return f"Of {of} moved it is turned by {_ends(turned)}."


def on(tried: Tried) -> str:
    """Where assumptions were moved."""
    return f"{listed(tried.workloads)}, {tried.replications} replication{'s' if tried.replications > 1 else ''}"


def _ends(turned: Sequence[tuple[Moved, str]]) -> str:
    return "; ".join(f"{at_end(one)}: {what}" for one, what in turned)


def at_end(one: Moved) -> str:
    """An assumption at an end of its range."""
    value = one.assumption.low if one.end == "low" else one.assumption.high
    return (
        f"{one.assumption.title.removesuffix(' at')} at {valued(value, one.assumption.unit)} {marked(one.assumption)}"
    )


def valued(value: Value, unit: str) -> str:
    """A value with its unit."""
    return f"{value if isinstance(value, str) else format(value, 'g')} {unit}".rstrip()


def marked(one: Assumption) -> str:
    """Its mark."""
    return f"[{one.mark.strip('[]')}]"


def ranged(one: Assumption) -> str:
    """From where to where it is moved."""
    return f"{valued(one.low, '')} .. {valued(one.high, one.unit)}"
