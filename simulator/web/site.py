"""Pages that are served to people, with what each has: stylesheet and script by address, headers that let a browser load and run nothing else, and the looks
at where a form comes from.

A page's form goes by two marks: the browser says that the page is of the same origin, and the form bears a token of the session.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import cache
from gzip import compress
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from simulator.versions import product
from simulator.web.frame import stylesheet, templates
from simulator.web.kinds import patterns

_KIT = Path(__file__).parent
#: Of every answer below a site's root. Nothing of it is kept by a browser or a proxy: it is somebody's own.
HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    "vary": "X-Fragment",
}
#: Under its digest a file never changes.
_FOREVER = {**HEADERS, "cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
#: Which part of a page is asked for, by its id.
FRAGMENT = "x-fragment"
#: Fields of a form at most.
_MOST_FIELDS = 20


class Site(NamedTuple):
    """What the pages of one face have in common."""

    name: str
    #: Where it begins, with a slash at its end.
    root: str

    @property
    def style(self) -> str:
        """Address of the stylesheet."""
        return _address(self.root, "style.css")

    @property
    def script(self) -> str:
        """Address of ``live.js``."""
        return _address(self.root, "live.js")

    @property
    def icon(self) -> str:
        """Address of the icon."""
        return _address(self.root, "icon.svg")

    def file(self, name: str, request: Request) -> Response:
        """One of the files, by its name; 404 for another."""
        found = _files().get(name)
        if found is None:
            return PlainTextResponse("There is no such file.", 404, HEADERS)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(found.packed, headers={**_FOREVER, "content-encoding": "gzip"}, media_type=found.media)
        return Response(found.content, headers=_FOREVER, media_type=found.media)

    def page(
        self, template: str, room: Path, status: int = 200, headers: Mapping[str, str] | None = None, **shown: Any
    ) -> HTMLResponse:
        """A page, or with a template of one a part. shown: what it says, a page's with ``title``, ``about`` and ``dated``."""
        defaults = {"site": self, "patterns": patterns(), "product": product(), "contents": [], "form_token": ""}
        body = templates(room).get_template(template).render(defaults | shown)
        return HTMLResponse(body, status, {**HEADERS, **(headers or {})})


class _File(NamedTuple):
    """A file that pages name. Packed once: pages themselves are not, since what is packed beside a secret tells of it by its length."""

    media: str
    content: bytes
    packed: bytes
    digest: str


@cache
def _files() -> dict[str, _File]:
    """By name."""
    read = {name: (_KIT / name).read_text(encoding="utf-8") for name in ("site.css", "live.js", "icon.svg")}
    written = {
        "style.css": ("text/css", f"{stylesheet()}\n{read['site.css']}"),
        "live.js": ("text/javascript", read["live.js"]),
        "icon.svg": ("image/svg+xml", read["icon.svg"]),
    }
    return {
        name: _File(media, text.encode(), compress(text.encode(), mtime=0), sha256(text.encode()).hexdigest()[:12])
        for name, (media, text) in written.items()
    }


@cache
def _address(root: str, name: str) -> str:
    return f"{root}files/{name}?v={_files()[name].digest}"


def wanted_part(request: Request) -> str:
    """Id of the part that is asked for; empty for the whole page."""
    return request.headers.get(FRAGMENT, "")


def of_same_origin(request: Request) -> bool:
    """Whether a browser says that a page of this service sends this. One that says nothing of it is not believed."""
    origin = request.headers.get("origin")
    if origin is not None:
        return origin.lower() == f"{request.url.scheme}://{request.headers.get('host', '').lower()}"
    return request.headers.get("sec-fetch-site") == "same-origin"


def bears(fields: Mapping[str, str], token: str) -> bool:
    """Whether a form bears the token of its session."""
    return hmac.compare_digest(fields.get("form_token", "").encode(), token.encode())


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form as browsers send it; empty for what is none. Of a name that comes twice the last counts."""
    try:
        text = (await request.body()).decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError:
        return {}
