"""``ami lse missing``: what it prints of SMT's answer, and what it says when there is none."""

from __future__ import annotations

import functools
import socket
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from headend.http.links import LinkKeys
from reports.commands.lse import app
from simulator.parties.keys_file import kept_keys

URL = "http://smt.test"
GROUP = {"tdsp": "1", "tdspName": "Wires", "ror": "2", "rorName": "One", "expected": 12, "missing": 0, "esiids": []}
SOME = GROUP | {"ror": None, "rorName": "", "missing": 12, "esiids": [str(number) for number in range(12)]}
DAY = {"day": "2026-08-11", "over": True}


def asked(monkeypatch: pytest.MonkeyPatch, reply: httpx.Response, *words: str) -> tuple[Result, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"accessToken": "a-token"}) if request.method == "POST" else reply

    client = functools.partial(httpx.Client, transport=httpx.MockTransport(answer))
    monkeypatch.setattr("reports.lse.missing.httpx.Client", client)
    return CliRunner().invoke(app, ["missing", "2026-08-11", "--smt", URL, *words]), seen


def test_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    done, (request,) = asked(monkeypatch, httpx.Response(200, json=DAY | {"groups": [GROUP]}))
    assert (done.exit_code, str(request.url)) == (0, f"{URL}/control/missing?day=2026-08-11")
    assert done.stdout == "2026-08-11: 0 of 12 ESI IDs are not loaded\nWires 1, One 2: 0 of 12\n"
    assert "authorization" not in request.headers


def test_what_is_missing_is_exit_1_by_tdsp_and_rep(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = httpx.Response(200, json=DAY | {"over": False, "groups": [GROUP, SOME]})
    done, _ = asked(monkeypatch, reply)
    assert done.exit_code == 1
    head, _, group, first, *_, last = done.stdout.splitlines()
    assert head == "2026-08-11 (it is not over): 12 of 24 ESI IDs are not loaded"
    assert (group, first, last) == ("Wires 1, no REP of record: 12 of 12", "  0", "  2 more: --all tells them")
    assert len(asked(monkeypatch, reply, "--all")[0].stdout.splitlines()) == 15
    assert '"rorName":"One"' in asked(monkeypatch, reply, "--json")[0].stdout


def test_a_log_in_asks_for_its_own_and_a_key_as_a_tester(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reply = httpx.Response(200, json=DAY | {"groups": []})
    _, (login, own) = asked(monkeypatch, reply, "--login", "wires:a:b")
    assert login.read() == b'{"username":"wires","password":"a:b"}'
    assert (own.url.path, own.headers["authorization"]) == ("/v2/missing/", "Bearer a-token")
    keys = kept_keys(tmp_path / "keys.json")
    _, (request,) = asked(monkeypatch, reply, "--keys", str(tmp_path / "keys.json"))
    assert request.headers["authorization"] == f"Bearer {keys.control}"
    assert isinstance(keys, LinkKeys)


@pytest.mark.parametrize(
    ("reply", "words", "said"),
    [
        (
            httpx.Response(401, json={"error": "bad token."}),
            [],
            f"lse.missing.refused: {URL}: SMT said 401: bad token.",
        ),
        (httpx.Response(200, json={"errorCode": "2076", "errorMessage": "No."}), [], "SMT said 200: No."),
        (httpx.Response(502, text="<html>"), [], "SMT said 502: nothing readable"),
        (httpx.Response(200, json={"day": "2026-08-11"}), [], "lse.missing.strange: "),
        (httpx.Response(200), ["--login", "nobody"], "lse.missing.login: --login: A log-in has a password."),
        (httpx.Response(200), ["--keys", "none.json"], "keys.unreadable: --keys none.json: "),
    ],
)
def test_what_goes_wrong_is_one_line(
    reply: httpx.Response, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    told = str(asked(monkeypatch, reply, *words)[0].exception)
    assert said in told
    assert list(tmp_path.iterdir()) == []


def test_an_smt_that_is_not_there_is_one_line() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        for url in (f"http://127.0.0.1:{bound.getsockname()[1]}", "smt", "http://[x"):
            told = str(CliRunner().invoke(app, ["missing", "2026-08-11", "--smt", url]).exception)
            assert told.startswith(f"lse.missing.away: {url}: SMT cannot be asked: ")
            assert "[Errno" not in told


def test_a_day_is_a_day() -> None:
    done = CliRunner().invoke(app, ["missing", "yesterday"])
    assert str(done.exception).startswith("lse.day: DAY: 'yesterday' is not a day of this market.")
