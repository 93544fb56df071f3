"""A request that no route takes is told in the service's own shape, with the call that was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

NO_CALL, NO_METHOD = 404, 405

#: Makes the reply of a status: the request, the status, " Did you mean ...?" or nothing, headers to send along.
Reply = Callable[[Request, int, str, Mapping[str, str] | None], Response]


def tell_unrouted(app: FastAPI, reply: Reply) -> None:
    """Answer what no route takes, or none by that method, by ``reply``."""

    async def unrouted(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        meant = nearest(app, request.url.path) if error.status_code == NO_CALL else ""
        return reply(request, error.status_code, f" Did you mean {meant}?" if meant else "", error.headers)

    for status in (NO_CALL, NO_METHOD):
        app.add_exception_handler(status, unrouted)


def nearest(app: FastAPI, path: str) -> str:
    """The documented path that is most like this one, whatever its case; empty where none is like it."""
    calls = {
        route.path.casefold(): route.path
        for route in app.routes
        if isinstance(route, APIRoute) and route.include_in_schema
    }
    # Of a long path only its beginning can be meant.
    found = get_close_matches(path[:200].casefold(), calls, n=1, cutoff=0.7)
    return calls[found[0]] if found else ""
