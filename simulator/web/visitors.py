"""Who comes to served pages: sessions, forms that count, where a log-in leads, and how what stands against a request is told.

A session is a number that nobody can guess; all else of it is here. It ends some minutes after its last use, and some hours after its log-in in any case.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from simulator.web.parts import Problem
from simulator.web.site import HEADERS, bears, fields_of, of_same_origin, wanted_part

#: What of a path of ours may be anything.
_OWN_PATH = re.compile(r"/[\w/?=&.%+-]*", re.ASCII)


class WebProblem(Exception):  # noqa: N818 (it is the visitor's, not an error of ours)
    """What stands against a request, as its page tells it."""

    def __init__(self, status: int, code: str, what: str, mend: str) -> None:
        """status: of HTTP. code: in one word, or the part of the address at fault."""
        super().__init__(code)
        self.status = status
        self.problem = Problem(code, what, mend)


class SignInError(Exception):
    """A request without a session that is alive."""


async def _sent_here(request: Request) -> dict[str, str]:
    if not of_same_origin(request):
        raise WebProblem(
            403, "origin", "This form was not sent by a page of this site.", "Open the page here, and send its form."
        )
    return await fields_of(request)  # fmt: skip


#: Of a handler's parameter: the fields of a form that a page of ours sent. WebProblem of another's.
Fields = Annotated[dict[str, str], Depends(_sent_here)]


def of_session(fields: Mapping[str, str], token: str) -> dict[str, str]:
    """The fields of a form that bears the token of its session. Raises WebProblem of another's."""
    if not bears(fields, token):
        raise WebProblem(
            403, "form_token", "This form is not of your session.", "Load the page anew, and send its form again."
        )
    return dict(fields)  # fmt: skip


def own_path(root: str, text: str) -> str:
    """Where to go after a log-in: the path if it lies below a site's root, otherwise the root."""
    return text if text.startswith(root) and _OWN_PATH.fullmatch(text) and "//" not in text else root


def tell_problems(app: FastAPI, root: str, page: Callable[[Request, int, Problem], Response]) -> None:
    """Answer what stands against a request for a page by a page, and lead who has no session to the log-in of the site, and back afterwards."""
    login = f"{root}login"

    @app.exception_handler(WebProblem)
    async def told(request: Request, error: WebProblem) -> Response:
        return page(request, error.status, error.problem)

    @app.exception_handler(SignInError)
    async def sign_in(request: Request, _error: SignInError) -> Response:
        # A form, or a part, whose session has ended leads to the page that it was on.
        whole = request.method == "GET" and not wanted_part(request)
        at = request.url if whole else urlsplit(request.headers.get("referer", ""))
        back = own_path(root, f"{at.path}?{at.query}" if at.query else at.path)
        if wanted_part(request):
            return Response(status_code=401, headers={**HEADERS, "x-location": f"{login}?next={quote(back)}"})
        return RedirectResponse(login if back == root else f"{login}?next={quote(back)}", 303, HEADERS)


@dataclass(slots=True)
class _Life:
    """Of a session: whose it is, its log-in and its last use, seconds since the epoch."""

    name: str
    began: float
    used: float


class Sessions:
    """The sessions of one process; nothing of it outlives the instance."""

    def __init__(self, now: Callable[[], float], idle_s: float = 15 * 60, life_s: float = 8 * 3600, most: int = 10_000) -> None:  # fmt: skip
        """now: seconds since the epoch, wall time. idle_s, life_s: seconds from the last use, and from the log-in, to the end. most: how many are kept. Defaults of this project."""
        self._now, self._idle_s, self._life_s, self._most = now, idle_s, life_s, most
        self._key = secrets.token_bytes(32)
        #: By the digest of its number, the earliest log-in first.
        self._lives: OrderedDict[bytes, _Life] = OrderedDict()

    def begin(self, name: str) -> str:
        """A new session of whoever has logged in as ``name``: its number."""
        number, now = secrets.token_urlsafe(24), self._now()
        self._lives[_digest(number)] = _Life(name, now, now)
        if len(self._lives) > self._most:
            self._lives.popitem(last=False)
        return number

    def whose(self, number: str) -> str | None:
        """Whose session it is; its life begins anew. None where there is none, or its life is over."""
        life, now = self._lives.get(_digest(number)), self._now()
        if life is None:
            return None
        if now >= min(life.used + self._idle_s, life.began + self._life_s):
            self.end(number)
            return None
        life.used = now
        return life.name

    def end(self, number: str) -> None:
        """End it, if there is such a one."""
        self._lives.pop(_digest(number), None)

    def seal(self, number: str) -> str:
        """What the forms of a session bear: 32 hexadecimal digits that nobody else can make."""
        return hmac.new(self._key, number.encode(errors="surrogateescape"), sha256).hexdigest()[:32]


def _digest(number: str) -> bytes:
    return sha256(number.encode(errors="surrogateescape")).digest()
