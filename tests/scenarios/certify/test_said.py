"""What was said at SMT's market API, as rows of numbers: the same exchanges, in their order, whether they lie in a file or not."""

from __future__ import annotations

import json
from pathlib import Path

from meters.calendar import seconds, to_us
from scenarios.certify.observed import Lines
from scenarios.certify.said import ODR, STATUS, heard, said_of
from simulator.tap.chain import Exchange, Index, exchanges
from simulator.tap.log import Wire, WireLog

FIRST = 1_786_574_400
SAID = (
    ("/v2/odr/", 200, '{"correlationId": "1"}'),
    ("/v2/odrstatus/", 200, "{}"),
    ("/v2/odrstatus", 200, "{}"),
    ("/v2/token/", 503, "<html>"),
)


def written(path: Path) -> list[Exchange]:
    """An exchange at each of some seconds: a request that is taken, two polls, a page in place of a token."""
    at = [to_us(seconds(FIRST))]
    log = WireLog(path, lambda: at[0], {})
    for n, (asked, status, body) in enumerate(SAID):
        at[0] = to_us(seconds(FIRST + n))
        ask, reply = {"method": "POST", "path": asked, "body": "{}"}, {"status": status, "body": body}
        what = f'"ids":{{}},"ask":{json.dumps(ask)},"reply":{json.dumps(reply)}'
        log.note(Wire("market", "ROR", "SMT"), log.begin(), what)
    log.close()
    return list(exchanges(path))


def test_what_was_heard_is_what_was_said_in_its_order_and_is_found_by_its_kind(tmp_path: Path) -> None:
    held = written(tmp_path / "wire.jsonl")
    span = (seconds(FIRST), seconds(FIRST + 9))
    for said in (heard(held, *span), heard(Lines(Index(tmp_path / "wire.jsonl")), *span)):
        assert len(said) == len(SAID)
        assert [one[:7] for one in said] == [said_of(one)[:7] for one in held]
        assert [one.exchange for one in said] == held
        polls = said.where(lambda one: one.path == STATUS)
        assert [one.n for one in polls] == [2, 3]
        assert [one.n for one in reversed(polls)] == [3, 2]
        assert (polls[-1].n, [one.n for one in polls[:1]]) == (3, [2])
        (request,) = said.where(lambda one: one.request is not None)
        assert (request.path, request.request and request.request.key) == (ODR, "1")
        assert [one.n for one in said.where(lambda one: one.paged)] == [4]
        assert not polls.where(lambda one: one.paged)
    assert [one.n for one in heard(held, seconds(FIRST + 1), seconds(FIRST + 2))] == [2, 3]
