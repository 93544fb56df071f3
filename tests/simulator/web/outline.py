"""The outline of a page, read as a browser reads it: landmarks, headings, what its contents link to, what it would fetch."""

from __future__ import annotations

from html.parser import HTMLParser

LANDMARKS = ("header", "nav", "main", "footer")


class Outline(HTMLParser):
    """Collected from one page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.landmarks: list[str] = []
        self.ids: list[str] = []
        self.headings: list[tuple[str, str | None]] = []
        self.contents: list[str] = []
        self.links: list[str] = []
        self.boxed: list[bool] = []
        self.texts: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        its = dict(attrs)
        if tag in LANDMARKS:
            self.landmarks.append(tag)
        if its.get("id"):
            self.ids.append(str(its["id"]))
        if tag in ("h1", "h2"):
            self.headings.append((tag, its.get("id")))
        if tag == "table":
            self.boxed.append(self._open[-1] == ("div", "scroll"))
        for name in ("href", "src", "srcset", "action", "data", "xlink:href"):
            if its.get(name):
                self.links.append(str(its[name]))
                if tag == "a" and ("nav", "") in self._open:
                    self.contents.append(str(its[name]).removeprefix("#"))
        if tag not in ("meta", "br", "link", "img", "input"):
            self._open.append((tag, its.get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1][1]] = data


def assert_whole(page: str, dated: str, beside: frozenset[str] = frozenset()) -> None:
    """What every page has. dated: the day it tells. beside: links to other documents of the same service."""
    found = Outline(page)
    assert found.landmarks == list(LANDMARKS)
    assert [level for level, _ in found.headings].count("h1") == 1
    sections = [ident for level, ident in found.headings if level == "h2"]
    assert sections
    assert set(sections) <= set(found.contents) <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    assert all(found.boxed)
    assert {link for link in found.links if not link.startswith("#")} == beside
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
    assert found.texts["version"].startswith("ami-testbed ")
    assert found.texts["dated"] == dated
    for outside in ("<script", "@import", "url(http"):
        assert outside not in page
