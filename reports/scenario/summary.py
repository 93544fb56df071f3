"""What became of many scenarios, in forms for others: a table of plain text, Markdown for a pull request, JUnit's XML for a build server."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from scenarios.judging.result import label
from scenarios.many import COULD_NOT_RUN, Played
from simulator.verdicts import Mark

#: How JUnit calls a mark that is neither passed nor failed.
JUNIT = {
    Mark.INCONCLUSIVE: "error",
    Mark.EVIDENCE: "skipped",
    Mark.SKIPPED: "skipped",
    Mark.NOT_EXERCISED: "skipped",
}
#: Characters that XML 1.0 cannot hold.
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Columns of a line of text.
_WIDTH = 160


def tallied(played: Sequence[Played], of: int) -> str:
    """How many came out how, the worst first. of: how many were to be played."""
    counts = Counter(one.verdict for one in played)
    words = [f"{counts[word]} {word}" for word in (COULD_NOT_RUN, *Mark) if counts[word]]
    not_played = [f"{of - len(played)} not played"] if of > len(played) else []
    return f"{of} scenarios: {', '.join([*words, *not_played])}"


def as_text(played: Sequence[Played]) -> str:
    """A row each: scenario, verdict, CPU seconds, what failed in one line."""
    width = max(len("scenario"), *(len(one.name) for one in played))
    lines = [f"{'scenario':<{width}}  {'verdict':<13}  {'CPU s':>6}  what failed"]
    for one in played:
        row = f"{one.name:<{width}}  {one.verdict:<13}  {one.cpu_s:6.2f}  {_line(one.why)}".rstrip()
        lines.append(row if len(row) <= _WIDTH else f"{row[: _WIDTH - 3]}...")
    return "\n".join(lines)


def as_markdown(played: Sequence[Played], of: int) -> str:
    """A heading with the tally, and a table."""
    rows = (
        f"| {one.name} | {one.verdict} | {one.cpu_s:.2f} | {_line(one.why).replace('|', chr(92) + '|')} |"
        for one in played
    )
    head = "| scenario | verdict | CPU s | what failed |\n|---|---|---|---|"
    return "\n".join([f"## {tallied(played, of)}", "", head, *rows, ""])


def as_junit(played: Sequence[Played]) -> str:
    """A test suite for each scenario, a test case for each step and check; one that could not run is one case, an error."""
    root = Xml.Element("testsuites", name="ami scenario run")
    for one in played:
        suite = Xml.SubElement(root, "testsuite", name=one.name, time=f"{one.seconds:.3f}")
        for judged in one.judged:
            case = Xml.SubElement(suite, "testcase", classname=one.name, name=label(judged))
            mark, text = judged["mark"], str(judged["happened"])
            for failure in judged["failures"]:
                said = f"{failure['what']}: expected {failure['expected']}, found {failure['found']}"
                Xml.SubElement(case, "failure", message=xml_text(said)).text = xml_text(text)
            if mark in JUNIT:
                Xml.SubElement(case, JUNIT[mark], message=xml_text(f"{mark}: {text}"))
        if one.result is None:
            case = Xml.SubElement(suite, "testcase", classname=one.name, name="run")
            Xml.SubElement(case, "error", message=xml_text(one.error))
        cases = list(suite)
        suite.set("tests", str(len(cases)))
        for word, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            suite.set(attribute, str(sum(case.find(word) is not None for case in cases)))
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _line(text: str) -> str:
    return " ".join(text.split())


def xml_text(text: str) -> str:
    """A text without what XML cannot hold."""
    return _NO_XML.sub("?", text)
