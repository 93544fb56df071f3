"""What is published of a certification beside its result: the page, verdict first, what contradicts an id drawn as it was sent; and JUnit's XML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from markupsafe import Markup

from reports.scenario.sequence import NARROW, WIDE, Scene, sequence, spoken
from reports.scenario.sequence import rows as as_rows
from reports.scenario.summary import JUNIT, xml_text
from scenarios.certify.observed import Observed
from scenarios.certify.statement import NAMED, Statement
from simulator.verdicts import Mark
from simulator.web.frame import framed, templates

#: Contradictions that are drawn, of each id; the exchanges of all stand in the table.
_DRAWN = 2


def made_of(said: Mapping[str, Statement], result: dict[str, Any], all_of_it: Observed) -> dict[str, str]:
    """The page and JUnit's XML by file name; of the recording alone, so the same again byte for byte. said: by role."""
    results = list(result["parties"].values()) if result.get("flight") else [result]
    return {"report.html": page(said, result, results, all_of_it), "junit.xml": junit(results)}


def page(
    said: Mapping[str, Statement], result: dict[str, Any], results: Sequence[dict[str, Any]], all_of_it: Observed
) -> str:
    """The report: of a system, or of a flight with its script and what is said of each."""
    pages = templates(Path(__file__).parent)
    pages.filters |= {"spoken": spoken}
    parts = [
        Markup(pages.get_template("certified.html.j2").render(_told(said[one["role"]], one, all_of_it)))
        for one in results
    ]
    first = next((one.recording.scenario.timeline[0].at for one in all_of_it.steps if one.recording), None)
    dated = "nothing was played" if first is None else f"model time from {first:%Y-%m-%d} on"
    names = [f"{one['sut']['name']} {one['sut']['version']}" for one in results]
    if not result.get("flight"):
        return framed(names[0], f"In the role of {NAMED[result['role']]}.", dated, parts[0])
    roles = {role: one.name for role, one in said.items()}
    told = zip(names, parts, strict=True)
    body = pages.get_template("flight.html.j2").render(result=result, names=roles, parts=list(told))
    return framed(" and ".join(names), "Two systems at once, our market between them.", dated, body)


def _told(said: Statement, result: dict[str, Any], all_of_it: Observed) -> dict[str, Any]:
    """What is told of a system."""
    order = {mark.value: at for at, mark in enumerate(Mark)}
    told = [(one["id"], failure) for one in result["ids"] for failure in one["failures"][:_DRAWN]]
    failures = [
        {"id": ident, **failure} | _drawn(failure, all_of_it, f"{result['role']}-f{number}")
        for number, (ident, failure) in enumerate(told, 1)
    ]
    counts = Counter(one["mark"] for one in result["ids"])
    return {
        "result": result,
        "said": said,
        "plan": all_of_it.plan,
        "serves": "our meters"
        if said.serves == "ours"
        else f"{len(said.serves)} ESI ID{'s' * (len(said.serves) > 1)} of its own",
        "tally": f"{len(result['ids'])} ids: {', '.join(f'{counts[mark]} {mark}' for mark in order if counts[mark])}.",
        "ids": sorted(result["ids"], key=lambda one: order[one["mark"]]),
        "failures": failures,
    }


def _drawn(failure: dict[str, Any], all_of_it: Observed, mark: str) -> dict[str, Any]:
    """The exchanges of a contradiction, as texts and as a diagram for each width. mark: its own, for each step counts its exchanges from 1."""
    step = next(one for one in all_of_it.steps if one.name == failure["step"])
    numbers = {int(cited.rpartition(":")[2]) for cited in failure["exchanges"]}
    its = [one for one in step.wire if one.n in numbers]
    scene = Scene(failure["ref"], as_rows(its), 0)
    drawn = {width: Markup(sequence([scene], width, f"{mark}-x")) for width in (WIDE, NARROW)}
    return {"told": its, "mark": mark, **drawn}


def junit(results: Iterable[dict[str, Any]]) -> str:
    """A suite for each system, a test case for each id."""
    root = Xml.Element("testsuites", name="ami certify run")
    for result in results:
        _suite(root, result)
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _suite(root: Xml.Element, result: dict[str, Any]) -> None:
    suite = Xml.SubElement(root, "testsuite", name=str(result["sut"]["name"]), tests=str(len(result["ids"])))
    for one in result["ids"]:
        case = Xml.SubElement(suite, "testcase", classname=result["role"], name=one["id"])
        mark, text = Mark(one["mark"]), xml_text(f"{one['said']} {', '.join(one['exchanges'])}".strip())
        if mark is Mark.FAILED:
            Xml.SubElement(case, "failure", message=xml_text(one["said"])).text = text
        elif mark in JUNIT:
            Xml.SubElement(case, JUNIT[mark], message=text)
    for word, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{word}"))))
