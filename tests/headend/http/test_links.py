"""Whom a head-end takes for its SMT."""

from __future__ import annotations

from dataclasses import replace

from pydantic import HttpUrl

from headend.http.links import HeadEndLink, LinkKeys


def test_what_is_smts_is_told_by_its_base_url_alone() -> None:
    link = HeadEndLink(LinkKeys.make(), ["http://Smt.Example:80/base", "https://127.0.0.1:8600"])
    assert [link.is_smt(HttpUrl(url)) for url in (
        "http://smt.example/base/callbacks/1/2", "http://smt.example/base", "http://smt.example/based/1",
        "http://smt.example/base/../other", "https://127.0.0.1:8600/", "http://127.0.0.1:8600/",
    )] == [True, False, False, False, True, False]  # fmt: skip
    assert not replace(link, reply_to=()).is_smt(HttpUrl("http://smt.example/base/1"))
