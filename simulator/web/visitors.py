"""Who comes to served pages: log-in, sessions, forms that count, where a log-in leads, and how what stands against a request is told.

A session is a number that nobody can guess; all else of it is here. It ends some minutes after its last use, and some hours after its log-in in any case.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from simulator.web.parts import Problem
from simulator.web.site import HEADERS, Site, bears, fields_of, of_same_origin, wanted_part

#: What of a path of ours may be anything.
_OWN_PATH = re.compile(r"/[\w/?=&.%+-]*", re.ASCII)
_NOT_DONE = "That did not work"
Party = TypeVar("Party")
Who = TypeVar("Who")
WhoIs = TypeVar("WhoIs", covariant=True)


class WebProblem(Exception):  # noqa: N818 (it is the visitor's, not an error of ours)
    """What stands against a request, as its page tells it."""

    def __init__(self, status: int, code: str, what: str, mend: str) -> None:
        """status: of HTTP. code: in one word, or the part of the address at fault."""
        super().__init__(code)
        self.status = status
        self.problem = Problem(code, what, mend)


class SignInError(Exception):
    """A request without a session that is alive."""


async def sent_here(request: Request) -> dict[str, str]:
    """The fields of a form that a page of ours sent. Raises WebProblem of another's."""
    if not of_same_origin(request):
        raise WebProblem(
            403, "origin", "This form was not sent by a page of this site.", "Open the page here, and send its form."
        )
    return await fields_of(request)  # fmt: skip


#: Of a handler's parameter: see ``sent_here``.
Fields = Annotated[dict[str, str], Depends(sent_here)]


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


class Entry(StrEnum):
    """What became of a log-in."""

    IN = "in"
    WRONG = "wrong"
    #: Too soon after bad ones: not looked at.
    BLOCKED = "blocked"


#: Looks at a log-in: name, password, and the address that it comes from.
LogIn = Callable[[str, str, str], Awaitable[Entry]]
#: Nobody learns here whether a name is somebody's.
_TOLD = {
    Entry.WRONG: (401, "Name and password do not belong together."),
    Entry.BLOCKED: (403, "Too many log-ins have failed. Wait a minute, and try again."),
}


class Keeper(Protocol[WhoIs]):
    """The sessions of a face's browsers (see ``Sessions``)."""

    def begin(self, name: str) -> str:
        """A new session of whoever has logged in as ``name``: its number."""

    def whose(self, number: str) -> WhoIs | None:
        """Whose session it is; its life begins anew. None where there is none, or its life is over."""

    def end(self, number: str) -> None:
        """End it, if there is such a one."""

    def seal(self, number: str) -> str:
        """What the forms of a session bear."""


class Visitor(NamedTuple, Generic[Who]):
    """Who has a session."""

    user: Who
    #: What the forms of the session bear.
    form_token: str


def named(cookie: str, request: Request) -> str:
    """A session's cookie at the port that a request came to. Cookies know no port: one name would be one session of all test beds of a machine."""
    _, port = request.scope.get("server") or ("", None)
    return f"{cookie}_{port}" if port else cookie


@dataclass(frozen=True)
class Face(Generic[Party, Who]):
    """Pages that people log in to: of one site, over one party."""

    site: Site
    #: The session's cookie, as ``named`` where the service listens at a port.
    cookie: str
    #: Folder of its templates, ``login.html.j2`` and ``problem.html.j2`` among them.
    room: Path
    #: What the first page lists, in words.
    first: str
    #: The party that a request is for.
    party: Callable[[Request], Party]
    log_in: Callable[[Party], LogIn]
    keeper: Callable[[Party], Keeper[Who]]
    #: What every page says, ``dated`` at least; None: nobody is logged in.
    says: Callable[[Party, Who | None], dict[str, Any]]

    @property
    def _login(self) -> str:
        return f"{self.site.root}login"

    async def visitor(self, request: Request) -> Visitor[Who]:
        """Whose session came with a request; its life begins anew. Raises SignInError without one."""
        keeper, number = self.keeper(self.party(request)), request.cookies.get(named(self.cookie, request), "")
        user = keeper.whose(number)
        if user is None:
            raise SignInError
        return Visitor(user, keeper.seal(number))

    def form(self) -> Any:
        """What a handler's parameter is annotated with to get the fields of a form of a visitor with a session, which bears its token."""
        session = Depends(self.visitor)

        async def form(fields: Fields, who: Visitor[Any] = session) -> dict[str, str]:
            return of_session(fields, who.form_token)

        return Depends(form)

    def router(self) -> APIRouter:
        """Log-in and log-out, the kit's files. The log-in is looked at by the guard that the APIs' is looked at by."""
        routes, root = APIRouter(include_in_schema=False), self.site.root

        @routes.get(self._login)
        async def login_form(request: Request) -> Response:
            party, asked = self.party(request), request.query_params
            after = asked.get("next", "")
            if self.keeper(party).whose(request.cookies.get(named(self.cookie, request), "")) is not None:
                return _to(own_path(root, after))
            return self._logging_in(party, after, name=asked.get("username", "")[:64])

        @routes.post(self._login)
        async def login(request: Request, fields: Fields) -> Response:
            party, after, name = self.party(request), fields.get("next", ""), fields.get("username", "")
            keeper, peer = self.keeper(party), request.client.host if request.client else ""
            entry = await self.log_in(party)(name, fields.get("password", ""), peer)
            if entry is not Entry.IN:
                return self._logging_in(party, after, *_TOLD[entry], name)
            # The session that was there before is nobody's any more: who knew it does not come in with this one.
            keeper.end(request.cookies.get(named(self.cookie, request), ""))
            answer, secure = _to(own_path(root, after)), request.url.scheme == "https"
            answer.set_cookie(
                named(self.cookie, request),
                keeper.begin(name),
                path=root,
                httponly=True,
                samesite="strict",
                secure=secure,
            )
            return answer

        @routes.post(f"{root}logout", dependencies=[self.form()])
        async def logout(request: Request) -> Response:
            self.keeper(self.party(request)).end(request.cookies.get(named(self.cookie, request), ""))
            answer = _to(self._login)
            answer.delete_cookie(named(self.cookie, request), path=root, httponly=True, samesite="strict")
            return answer

        @routes.get(root.removesuffix("/"))
        async def without_slash() -> Response:
            return _to(root)

        @routes.get(root + "files/{name}")
        async def file(name: str, request: Request) -> Response:
            return self.site.file(name, request)

        return routes

    def _logging_in(self, party: Party, after: str, status: int = 200, why: str = "", name: str = "") -> Response:
        return self.show(party, None, "login.html.j2", status, title="Log in", after=after, why=why, name=name)

    def show(
        self, party: Party, who: Visitor[Who] | None, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **shown: Any
    ) -> Response:  # fmt: skip
        """A page or part for a visitor."""
        its = {"about": "", "form_token": who.form_token if who else ""} | self.says(party, who.user if who else None)
        return self.site.page(
            template, self.room, status, {"x-dated": its["dated"], **(headers or {})}, **(its | shown)
        )

    def page_at_fault(
        self, party: Party, path: str, status: int, code: str, what: str, headers: Mapping[str, str] | None = None
    ) -> Response | None:
        """What is wrong with a request that no page took, as a page; None for a path that is none of a page."""
        if not f"{path}/".startswith(self.site.root):
            return None
        problem = Problem(code, what, f"Go back, or begin at {self.first}.")
        return self.show(party, None, "problem.html.j2", status, headers, title=_NOT_DONE, problem=problem)

    def tell_problems(self, app: FastAPI, party: Party) -> None:
        """Answer what stands against a request for a page by a page, or in the place of the part that was asked for, and lead who has no session to the log-in, and back afterwards."""

        @app.exception_handler(WebProblem)
        async def told(request: Request, error: WebProblem) -> Response:
            part = wanted_part(request)
            template = "problem_part.html.j2" if part else "problem.html.j2"
            return self.show(party, None, template, error.status, title=_NOT_DONE, part=part, problem=error.problem)

        @app.exception_handler(SignInError)
        async def sign_in(request: Request, _error: SignInError) -> Response:
            # A form, or a part, whose session has ended leads to the page that it was on.
            whole, root = request.method == "GET" and not wanted_part(request), self.site.root
            at = request.url if whole else urlsplit(request.headers.get("referer", ""))
            back = own_path(root, f"{at.path}?{at.query}" if at.query else at.path)
            if wanted_part(request):
                return Response(status_code=401, headers={**HEADERS, "x-location": f"{self._login}?next={quote(back)}"})
            return _to(self._login if back == root else f"{self._login}?next={quote(back)}")


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, HEADERS)


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
