"""What ``ami demo`` prints: steps, answer, bill, rule, verdict, files. The same content on a terminal and in a pipe, without boxes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console, Group, JustifyMethod
from rich.table import Table
from rich.text import Text

from reports.scenario.wording import bill_rows, evidence_text, kwh_text, requirements_text, rests_rows, tally
from scenarios.records.world import World
from scenarios.stamps import plain, stamp
from simulator.ror.billing.money import money
from simulator.verdicts import Mark

_MARKS: dict[str, tuple[str, str]] = {
    Mark.PASSED: ("PASS", "bold green"),
    Mark.FAILED: ("FAIL", "bold red"),
    Mark.INCONCLUSIVE: ("?", "bold yellow"),
    Mark.PARTLY: ("PART", "yellow"),
    Mark.EVIDENCE: ("-", "cyan"),
    Mark.SKIPPED: ("SKIP", "yellow"),
    Mark.NOT_EXERCISED: ("-", "cyan"),
}
#: Checks told as the rule part, not as the checks of the run.
_GENERAL = ("lse-daily", "one-per-call", "rule-1a", "rule-1b")


def print_result(to: Console, result: dict[str, Any], world: World, *, explain: bool = False) -> None:
    """Print a result, all but the files. explain: with the arithmetic of the bill."""
    _head(to, result, world)
    _steps(to, result)
    _answer(to, result)
    _bills(to, result)
    if explain:
        _arithmetic(to, result)
    later = [check for check in result["checks"] if check["id"] not in _GENERAL][1:]
    if later:
        _title(to, "The rule, and the morning after")
        _checks(to, later)
    _title(to, "Checks of the first call and of the whole run")
    _checks(to, [check for check in result["checks"] if check not in later])
    _verdict(to, result)


def print_files(to: Console, out: Path, seconds: float | None) -> None:
    """Print where everything is; paths and the wall time are all that differs between runs."""
    to.print()
    for what, name in (
        ("report", "report.html"),
        ("result", "result.json"),
        ("recording", "recording.json"),
        ("run facts", "run.json"),
        ("LSE files", "lse/"),
    ):
        path = f"{out / name}{'/' if name.endswith('/') else ''}"
        to.print(Text(f"{what:<11}{path}"), soft_wrap=True)
    if seconds is not None:
        to.print(Text(f"{seconds:.1f} s of wall time", style="dim"))


def _grid(*widths: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for width in widths:
        grid.add_column(width=width, overflow="fold")
    grid.add_column(ratio=1, overflow="fold")
    return grid


def _title(to: Console, text: str) -> None:
    to.print()
    to.print(Text(text, style="bold"))


def _head(to: Console, result: dict[str, Any], world: World) -> None:
    to.print(Text(result["scenario"]["title"], style="bold"))
    account = result["account"]
    to.print(
        Text(
            f"{world.tdsp}, {world.meters} meters, ESI ID {account['esiid']}, plan {account['plan']}, "
            f"cycle {account['cycle_first']} to {account['cycle_last']}; policy {result['policy']['name']}, seed {result['scenario']['seed']}",
            style="dim",
        )
    )


def _mark(mark: str) -> Text:
    word, style = _MARKS[mark]
    return Text(word, style=style)


def _lines(judged: dict[str, Any]) -> list[Text]:
    """What happened, the evidence, the requirements, the reasons of a failure."""
    lines = [Text(plain(judged["happened"]))]
    facts = evidence_text(judged["evidence"])
    if facts:
        lines.append(Text(" · ".join(facts), style="dim"))
    lines += [
        Text(f"! {failure['what']}: expected {failure['expected']}, found {failure['found']}", style="red")
        for failure in judged["failures"]
    ]
    lines += [Text(f"? nothing to compare: {lacked}", style="yellow") for lacked in judged["lacking"]]
    if judged["requirements"]:
        lines.append(Text("requirements " + ", ".join(judged["requirements"]), style="blue"))
    return lines


def _rows(to: Console, rows: list[tuple[list[Text], list[Text]]], widths: tuple[int, ...]) -> None:
    for left, lines in rows:
        grid = _grid(*widths)
        grid.add_row(*left, Group(*lines))
        to.print(grid)


def _steps(to: Console, result: dict[str, Any]) -> None:
    for call, steps in itertools.groupby(result["steps"], key=lambda step: step.get("call")):
        _title(to, "The seven steps" if call is None else f"The seven steps of {call}")
        rows = [([Text(step["id"]), _mark(step["mark"]), Text(step["actor"])], _lines(step)) for step in steps]
        _rows(to, rows, (2, 4, 8))


def _checks(to: Console, checks: list[dict[str, Any]]) -> None:
    rows = [([_mark(check["mark"]), Text(check["title"])], _lines(check)) for check in checks]
    _rows(to, rows, (4, 24))


def _answer(to: Console, result: dict[str, Any]) -> None:
    sentences = result["call"]["sentences"]
    if not sentences:
        return
    _title(to, f"What the agent says at {stamp(result['call']['told_at'], seconds=True)}")
    for sentence in sentences:
        grid = _grid(1)
        grid.add_row(Text("-"), Text(sentence))
        to.print(grid)


def _bills(to: Console, result: dict[str, Any]) -> None:
    rows = bill_rows(result)
    if not rows:
        return
    _title(to, "The bill")
    table = Table.grid(padding=(0, 3, 0, 0))
    for justify in ("left", "left", "right", "right", "left"):
        table.add_column(justify=justify)
    heads = ("", "reaches to", "kWh", "with tax", "")
    table.add_row(*(Text(head, style="dim") for head in heads))
    for row in rows:
        table.add_row(row.name, row.reaches, kwh_text(row.usage_wh), f"${row.usd}" if row.usd else "-", row.note)
    to.print(table)


def _arithmetic(to: Console, result: dict[str, Any]) -> None:
    """The lines of the bill told, quantity x price = amount, and what bill and projection rest on."""
    stand = result["bills"]["with_gap"] or result["bills"]["instant"]
    if stand is None:
        return
    to.print(Text(f"Of the ${stand['total_usd']} told:", style="dim"))
    lines = [(line["kind"], line["text"], money(Decimal(line["usd"]))) for line in stand["lines"]]
    lines += [(line["kind"], f"{line['text']}: {line['standing']}, not counted", "-") for line in stand["undecided"]]
    _columns(to, lines, ("left", "left", "right"))
    for name, parts in rests_rows(result):
        to.print(Text(f"{name} rests on, in quarter hours, kWh and $ with tax:", style="dim"))
        rows = [
            (one["kind"], f"{one['intervals']:,}", kwh_text(one["wh"]), money(Decimal(one["usd"]))) for one in parts
        ]
        _columns(to, rows, ("left", "right", "right", "right"))
    edge = result["edge"]
    if edge is not None:
        below, at = (money(Decimal(edge[side])) for side in ("bill_below_usd", "bill_at_usd"))
        to.print(Text(f"One kWh below {kwh_text(edge['at_wh'])} kWh the cycle costs {below}, at it {at}."))


def _columns(to: Console, rows: Sequence[tuple[str, ...]], justify: Sequence[JustifyMethod]) -> None:
    table = Table.grid(padding=(0, 3, 0, 0))
    for side in justify:
        table.add_column(justify=side)
    for first, *rest in rows:
        table.add_row(f"  {first}", *rest)
    to.print(table)


def _verdict(to: Console, result: dict[str, Any]) -> None:
    to.print()
    _, style = _MARKS[result["mark"]]
    line = Text(result["mark"].upper(), style=style)
    to.print(line + Text(f"  {tally(result)}; requirements: {requirements_text(result)}"))
