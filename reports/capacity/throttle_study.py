"""The answer to the use case's open issue as a document: method, tables, and FR CR016.1 rewritten, each clause with its figure and what would overturn it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reports.capacity import headline, page, words
from reports.capacity.clauses import CAP, RULE, STATUSES, WITHOUT, Held, Verdict, effect_of, held
from reports.capacity.compare import AIR, TOLD, USD, regret
from simulator.capacity.outcome import Outcome
from simulator.capacity.theory import beside

#: The rule as the use case has it (1.5, issue 1).
AS_IT_STANDS = (
    "only 1 successful power status request and 1 successful meter read request can be submitted per day per ESIID"
)


def text(outcome: Outcome, whole: Outcome | None = None) -> str:
    """The document, Markdown. whole: of a study that played the rewritten rule as one policy; None: ``outcome`` may be one."""
    parts = [
        ("How on-demand requests are to be throttled", _answer(outcome)),
        ("How it was found", _method(outcome)),
        ("Policies by workloads", _policies(outcome)),
        ("Who is refused", _refused(outcome)),
        ("What is assumed, and what it moves", _assumed(outcome)),
        ("Where it breaks", _knees(outcome)),
        ("Theory beside what was seen", _theory(outcome)),
        ("FR CR016.1, rewritten", _rule(outcome, whole or outcome)),
    ]
    found = []
    for at, (title, lines) in enumerate(parts):
        body = "\n".join(lines)
        if body:
            found.append(f"{'##' if at else '#'} {title}\n\n{body}\n")
    return "\n".join(found)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    heads = list(heads)
    yield f"| {' | '.join(heads)} |"
    yield "|" + " --- |" * len(heads)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def _answer(outcome: Outcome) -> Iterator[str]:
    next_best = page.without_the_best(outcome)
    yield from _said(*headline.lines(outcome))
    if next_best:
        yield from _said(*next_best[0])
    yield "A policy is called best only if its regret is less than that of every other, by a difference whose 95 % interval leaves 0 out; else they cannot be told apart."
    yield ""
    for judged in (TOLD, USD):
        yield f"* *What would overturn it* {words.what_turns_the_answer(outcome, judged)}"
    for turned in next_best[1] if next_best else []:
        yield f"* *Without the best, what would overturn the answer* {turned}"


def _said(answer: str, *beside: str) -> Iterator[str]:
    """An answer, and what stands beside it."""
    yield f"> {answer}"
    yield ""
    for sentence in beside:
        yield f"* {sentence}"
    if beside:
        yield ""


def _method(outcome: Outcome) -> Iterator[str]:
    first, more = outcome.policy_names[0], len(outcome.tornado)
    yield (
        f"Study `{outcome.study['name']}`: {len(outcome.workloads)} workloads under {len(outcome.policies)} policies, "
        f"{outcome.replications} replications; study and code {outcome.fingerprint}. Every policy meets the same callers and draws, so differences are taken "
        f"pair by pair (Student t, 95 %); '=' is what cannot be told apart from `{first}`. Regret: what a policy lacks of the best one on the workload where "
        "it lacks most. Told in the call: an answer with intervals before the hang-up, the meter's or the store's. Dollars: by how much the bill told is off, "
        f"mean of the shipped plans. {f'{more} assumptions were moved to their low and high. ' if more else ''}How the load is made and played: "
        "[capacity.md](capacity.md), [workloads.md](workloads.md); what a wrong bill costs: [value.md](value.md); what a policy says: [throttle.md](throttle.md)."
    )
    yield ""
    yield from _table(
        ["workload", "what it is", "days", "requests"],
        ([one.name, one.title, str(one.days), f"{one.requests:,.0f}"] for one in outcome.workloads),
    )


def _policies(outcome: Outcome) -> Iterator[str]:
    yield "Told in the call, % of the call centres' reads, and dollars by which the bill told is off. **Bold**: the least regret, and who cannot be told apart from it. MB: octets of a day, on the workload that takes most."
    yield ""
    heads = ["policy", "regret, points", "regret, $", "worst", *outcome.workload_names, "MB on air", "MB over HTTP"]
    rows = (
        [
            line.head,
            *(
                " ".join(
                    part
                    for part in (f"**{one.text}**" if one.kind == "yes" else one.text, one.note, one.kind.strip("yes"))
                    if part
                )
                for one in line.cells
            ),
        ]
        for line in page.answers(outcome)
    )
    yield from _table(heads, rows)


def _refused(outcome: Outcome) -> Iterator[str]:
    yield "% of each class's requests, mean of the workloads; Jain's index of how evenly retailers are told in the call, where it is least (1: all alike)."
    yield ""
    heads = ["policy", *page.CLASS_NAMES, "Jain"]
    yield from _table(heads, ([line.head, *(one.text for one in line.cells)] for line in page.refused(outcome)))


def _assumed(outcome: Outcome) -> Iterator[str]:
    policy = page.moved_most(outcome)
    rows = list(page.assumptions(outcome, policy))
    if not rows:
        return
    yield f"{words.MARKS} Low / high: by how many points and cents it moves what callers are told under `{policy}`, on the workload that it moves most; lead: of the best policy, there, over the others under which it was moved."
    yield ""
    heads = ["assumption", "here", "low .. high", "points", "cents", "lead, points", "lead, cents", "mark", "source"]
    yield from _table(
        heads,
        (
            [one[name] for name in ("title", "base", "range", "told", "usd", "lead_told", "lead_usd", "mark", "source")]
            for one in rows
        ),
    )


def _knees(outcome: Outcome) -> Iterator[str]:
    rows = page.knees(outcome)
    if rows:
        yield "A knob is turned up until the mean no longer keeps the level; in brackets, what that is then, and half of its 95 % interval if there are several replications. Requests a day: how many there are then beside the study's. What binds: whose relief helps most where it is broken."
        yield ""
        names = ("policy", "workload", "level", "knob", "kept", "broken", "headroom", "more", "binds")
        heads = [
            "policy",
            "workload",
            "level",
            "turned up",
            "kept at",
            "broken at",
            "headroom",
            "requests a day",
            "what binds",
        ]
        yield from _table(heads, ([one[name] for name in names] for one in rows))


def _theory(outcome: Outcome) -> Iterator[str]:
    rows = [page.theory_row(beside(one)) for one in outcome.observed if one.policy == outcome.policy_names[0]]
    if rows:
        yield "A second: arrivals (λ), services of one server (μ); busy share (ρ); mean seconds there (W) and mean count there (L). λW is L whatever the laws (Little)."
        yield ""
        heads = ["resource", "where", "λ", "μ", "ρ", "W", "W by theory", "L", "λW", "L by theory", "closed form"]
        names = (
            "resource",
            "where",
            "rate",
            "served",
            "rho",
            "time",
            "time_by",
            "there",
            "little",
            "there_by",
            "form",
        )
        yield from _table(heads, ([one[name] for name in names] for one in rows))


#: How a clause reads in the rule by its verdict; what is left open has a sentence of its own.
_READS = {Verdict.TAKEN: "{text}", Verdict.FOR_BANDWIDTH: "{text}", Verdict.REFUSED: "{otherwise}"}


def _rule(outcome: Outcome, whole: Outcome) -> Iterator[str]:
    yield f'As it stands: "{AS_IT_STANDS}". It is to be reviewed "to determine the best way to throttle band width and support market needs" (use case, 1.5).'
    yield ""
    found = [one for one in held(outcome) if one.clause.having != RULE]
    if not found:
        yield "No clause can be judged: the study has not played two policies that differ by one."
        return
    # What holds under the cap alone stands in the rule if the cap does.
    capped = {CAP} <= {one.clause.title for one in found if one.verdict is Verdict.TAKEN} and any(
        one.clause.capped for one in found
    )
    rule = [one for one in found if one.clause.capped in (None, capped)]
    taken = {one.clause.title for one in rule if one.verdict in (Verdict.TAKEN, Verdict.FOR_BANDWIDTH)}
    others = {one.clause.title: one for one in held(whole) if one.clause.having == RULE} if taken == {*WITHOUT} else {}
    yield "As this study has it, each clause judged by two policies that differ by it alone:"
    yield ""
    for one in rule:
        if one.verdict in _READS:
            reads = _READS[one.verdict].format(text=one.clause.text, otherwise=one.clause.otherwise)
            beside = others.get(one.clause.title)
            more = f"; beside the rule's other clauses: {beside.verdict}" if beside else ""
            yield f"> * {reads} ({one.clause.title.lower()}: {one.verdict}, {_base(one)}{more})"
    yield ""
    for one in rule:
        if one.verdict is Verdict.TRADE:
            yield f"* Left open: *{one.clause.text}* With it ({_base(one)}) {words.trade(one)}; who weighs one against the other decides."
        elif one.verdict is Verdict.ALIKE:
            yield f"* Left open: *{one.clause.text}* With it and without ({_base(one)}) cannot be told apart."
    yield ""
    yield _best(outcome)
    yield ""
    yield from _whole(whole, list(others.values()))
    yield ""
    yield "### Each clause with its figures"
    yield ""
    yield "A clause is held against the same policy without it, by what is told in the call and by dollars. It is taken in where its regret is less in one and not more in the other; where both are alike, if it saves tries at meters. First figure: where it is largest; in brackets: over all workloads."
    yield ""
    for number, one in enumerate(found, 1):
        yield f"{number}. **{one.clause.title}: {one.verdict}.** {one.clause.text}"
        yield f"   {_base(one)}: {words.effects(one)}."
        yield f"   *What would overturn it:* {words.what_turns(one)}"


def _base(one: Held) -> str:
    """What a clause was judged by."""
    return f"`{one.clause.having}` beside `{one.clause.lacking}`"


def _whole(outcome: Outcome, clauses: Sequence[Held]) -> Iterator[str]:
    """The rule played as one policy, and what each of its clauses does beside the others."""
    yield "### The rule as a whole"
    yield ""
    if not clauses:
        yield "It was not played as one policy. What its clauses do, each beside another policy, does not add up."
        return
    yield (
        f"Study `{outcome.study['name']}` plays it as one policy, `{RULE}`, and without one clause after the other, over {len(outcome.workloads)} workloads with "
        f"{outcome.replications} replications; study and code {outcome.fingerprint}. What is left open is in it as it is today. {headline.answer(outcome)}"
    )
    yield ""
    for other in ("smt-today", "push-to-smt"):
        if other in outcome.policy_names:
            yield f"* `{RULE}` beside `{other}`: {'; '.join(words.effect(effect_of(outcome, RULE, other, judged)) for judged in (STATUSES, TOLD, USD, AIR))}."
    yield from (f"* {sentence}" for sentence in headline.beside(outcome))
    yield ""
    for number, one in enumerate(clauses, 1):
        yield f"{number}. **{one.clause.title}, beside the others: {one.verdict}.** {_base(one)}: {words.effects(one)}."
        yield f"   *What would overturn it:* {words.what_turns(one)}"


def _best(outcome: Outcome) -> str:
    """Which of the policies are best, in a sentence."""
    said = []
    for judged, what in ((TOLD, "what is told in the call"), (USD, "dollars")):
        found = regret(outcome, judged)
        if found is None:
            continue
        names = [f"`{outcome.policy_names[at]}`" for at in found.leaders]
        if len(names) == 1:
            said.append(f"{names[0]} is best by {what}")
        else:
            said.append(f"{', '.join(names[:-1])} and {names[-1]} cannot be told apart by {what}")
    air = outcome.values(AIR.measure, AIR.group).mean(axis=2).max(axis=0)
    least = outcome.policy_names[int(air.argmin())]
    return f"Of the policies of the study {'; '.join(said)}. `{least}` takes the fewest tries at meters."
