"""A portal's user before a portal that answers badly: one log-in more and no storm, and each end told by its code."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import httpx
import pytest
import simpy

from meters.calendar import seconds, to_us
from simulator.customer.portal_user import PortalClient, PortalError, PortalRead, portal_read
from simulator.customer.same_answers import QUESTIONS, same_answers
from simulator.ror.client import SmtClient
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime

START = seconds(1_786_500_000)
LOG_IN, LATEST, ASK = "/commonapi/user/authenticate", "/api/usage/latestodrread", "/api/ondemandread"
Answer = dict[str, Any] | httpx.Response | Exception


class Portal:
    """Answers each path with what it was given, one after the other, the last one for ever."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {LOG_IN: [{"token": "t1"}, {"token": "t2"}]} | answers
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append((path, request.headers.get("authorization", ""), dict(request.headers)))
        left = self.answers[path]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @asynccontextmanager
    async def client(self, host: str | None = None) -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(self), base_url="http://smt") as http:
            yield PortalClient(http, "customer", "x", host)


def dead() -> httpx.Response:
    return httpx.Response(401, json={"message": "Invalid Token"})


async def test_a_dead_token_is_followed_by_one_log_in_and_one_more_try() -> None:
    portal = Portal(**{LATEST: [{"data": {"n": 1}}, dead(), {"data": {"n": 2}}, dead(), dead()]})
    async with portal.client() as client:
        assert [(await client.latest("1"))["n"], (await client.latest("1"))["n"]] == [1, 2]
        assert [(path, token) for path, token, _ in portal.asked] == [
            (LOG_IN, ""),
            (LATEST, "Bearer t1"),
            (LATEST, "Bearer t1"),
            (LOG_IN, ""),
            (LATEST, "Bearer t2"),
        ]
        # One that is dead again is told, not tried for ever.
        with pytest.raises(PortalError, match=r"^portal\.no_data: "):
            await client.latest("1")
        assert client.calls == len(portal.asked) == 8


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({LOG_IN: [{"errormessage": "ERR-USR-USERNOTFOUND"}]}, "portal.login: The portal did not let this user in."),
        ({LOG_IN: [httpx.Response(503, html="<p>later</p>")]}, "portal.no_json: HTTP 503 with text/html where JSON"),
        ({LOG_IN: [httpx.Response(200, content=b"[]")]}, "portal.no_json: HTTP 200 with no content type where JSON"),
        ({LATEST: [{"data": None}]}, f"portal.no_data: {LATEST} answered without data."),
        ({LATEST: [httpx.ConnectError("no")]}, f"portal.unreachable: No answer from {LATEST} (ConnectError)."),
    ],
)
async def test_an_answer_that_is_none_is_told_by_its_code(answers: dict[str, list[Answer]], said: str) -> None:
    async with Portal(**answers).client() as client:
        with pytest.raises(PortalError) as caught:
            await client.latest("1")
    assert str(caught.value).startswith(said)


async def test_content_is_the_data_or_a_field_of_them() -> None:
    path = "/api/premise"
    answers = [{"data": {"a": 1}}, {"a": 2}, {"data": {"a": 1}}, {"data": {"a": 1}}, {"data": [3]}]
    refused = {"data": {"errorCode": "METER", "errorMessage": "No such meter"}}
    async with Portal(**{path: [*answers, refused]}).client() as client:
        assert [await client.content(path, {}) for _ in range(2)] == [{"a": 1}, {"a": 2}]
        assert await client.content(path, {}, "a") == 1
        for field, said in (("b", "portal.no_data: .* without b"), ("b", "without b"), ("", r"portal\.METER: No such")):
            with pytest.raises(PortalError, match=said):
                await client.content(path, {}, field)


async def test_the_front_pages_cookies_are_the_log_ins_own() -> None:
    portal = Portal(**{"/": [httpx.Response(200, headers={"set-cookie": "a=b"})], LATEST: [{"data": {}}]})
    async with portal.client("www.smartmetertexas.com") as client:
        await client.visit()
        await client.latest("1")
        assert not client._http.cookies
    assert [(headers["host"], headers.get("cookie")) for *_, headers in portal.asked] == [
        ("www.smartmetertexas.com", None),
        ("www.smartmetertexas.com", "a=b"),
        ("www.smartmetertexas.com", "a=b"),
    ]


async def read(portal: Portal, **how: Any) -> tuple[PortalRead, int]:
    """A read through a portal, and the model seconds that it took."""
    runtime, reads = Runtime(Clock(ClockMode.MANUAL, to_us(START))), list[PortalRead]()
    async with portal.client() as client:

        def process() -> Generator[simpy.Event, Any, None]:
            reads.append((yield from portal_read(runtime, client, "1", "2", "x", polls=3, **how)))

        runtime.env.process(process())
        await runtime.run_until(START + 60)
    (one,) = reads
    return one, one.ended_at - one.requested_at


def shown(status: str, at: str = "new", wh: str = "7") -> dict[str, Any]:
    return {"data": {"odrstatus": status, "odrdate": at, "odrread": wh}}


TAKEN, TURNED = (
    {"data": {"RequestStatus": "SUC"}},
    {"data": {"RequestStatus": "FLR", "statusCode": "5", "statusReason": "no"}},
)
OLD = shown("COMPLETED", "old")


@pytest.mark.parametrize(
    ("how", "acks", "looks", "end", "code", "lasts"),
    [
        ({}, TAKEN, [OLD, shown("PENDING"), shown("COMPLETED")], "answered", None, 30),
        # What was shown before, and a read of nothing, are not the one that was asked for.
        ({}, TAKEN, [OLD, OLD, shown("COMPLETED", wh="0"), shown("COMPLETED")], "answered", None, 45),
        ({"hasty": True}, TAKEN, [OLD], "answered", None, 0),
        ({"hasty": True}, TAKEN, [shown("PENDING"), OLD], "answered", None, 15),
        ({"visits": True}, TAKEN, [OLD, shown("COMPLETED")], "answered", None, 15),
        ({}, TURNED, [OLD], "refused", "5", 0),
        ({"attentive": False}, TURNED, [OLD, shown("COMPLETED")], "answered", None, 15),
        ({}, TAKEN, [OLD, shown("FAILED")], "failed", "portal.FAILED", 15),
        ({}, TAKEN, [OLD, httpx.ReadError("cut")], "failed", "portal.unreachable", 15),
        ({}, TAKEN, [OLD, shown("PENDING")], "unanswered", "portal.unanswered", 45),
    ],
)
async def test_how_a_read_through_the_portal_ends(
    how: dict[str, Any], acks: dict[str, Any], looks: list[Answer], end: str, code: str | None, lasts: int
) -> None:
    portal = Portal(**{"/": [httpx.Response(200)], ASK: [acks], LATEST: looks})
    one, took = await read(portal, **how)
    assert (one.end, one.code, took) == (end, code, lasts)
    assert one.calls == len(portal.asked)
    assert (one.to_dict()["trouble"] is None) is (end == "answered")


@pytest.mark.parametrize("failing", ["", "/v2/meterInfo/", "/api/premise"])
async def test_both_doors_are_asked_the_same_and_a_question_that_fails_is_left_out(failing: str) -> None:
    """Only what this room does with the answers; what the doors answer is theirs."""
    fields = {"15minintervalreads": "energyData", "dailyreads": "registeredReads", "meterInfo": "MeterData"}
    fields |= {one: one for one in ("premiseInfo", "hanDevices")}
    data = {"energyData": 1, "dailyData": 2}

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == failing:
            return httpx.Response(400, json={"errorCode": "no", "errorMessage": "No."})
        if path.startswith("/v2/"):
            told = (
                {"accessToken": "t"}
                if path == "/v2/token/"
                else {fields[path.split("/")[2]]: json.loads(request.content)["esiid"]}
            )
            return httpx.Response(200, json=told)
        return httpx.Response(200, json={"token": "t"} if path == LOG_IN else {"data": data})

    runtime, found = Runtime(Clock(ClockMode.MANUAL, to_us(START))), list[dict[str, Any]]()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://smt") as http:
        market, portal = SmtClient(http, "a", "x", "999"), PortalClient(http, "customer", "x")
        day = date(2026, 8, 12)

        def process() -> Generator[simpy.Event, Any, None]:
            found.append((yield from same_answers(runtime, market, portal, "1044", day, day, "x")))

        runtime.env.process(process())
        await runtime.run_until(START + 1)
    (told,) = found
    lacking = {"": (), "/v2/meterInfo/": ("market", "meter"), "/api/premise": ("portal", "premise")}[failing]
    for door in ("market", "portal"):
        assert list(told[door]) == [one for one in QUESTIONS if (door, one) != lacking]
    assert (told["trouble"] is None) is (not failing)
    assert (told["market"]["usage"], told["portal"]["usage"]) == (["1044"], 1)
