"""The application of a service: routes that are built once a process, the party that they serve in this one, and its documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from headend.http.api_pages import Frame, operations, prose, render
from headend.http.examples import put_examples, put_meanings
from headend.http.front import Front, FrontRules, is_address, is_loopback

#: Characters of what is looked for on a page at most.
_SOUGHT = 100
#: By title and routes, which several applications may have: their document, of which most of a second is made.
_DOCUMENTS: dict[tuple[str, tuple[int, ...]], tuple[list[BaseRoute], dict[str, Any]]] = {}


class DescribedApi(FastAPI):
    """A FastAPI application whose ``/docs`` needs no other host, and whose document tells only statuses that it gives."""

    def __init__(
        self,
        frame: Frame,
        examples: Sequence[Path],
        front: FrontRules | None = None,
        meanings: Path | None = None,
        **settings: Any,
    ) -> None:
        """examples: files of captured exchanges (``put_examples``). meanings: a table of fields (``put_meanings``). front: what every request is held to. settings: what FastAPI takes."""
        self._frame = frame
        self._front = front or FrontRules()
        self._examples = examples
        self._meanings = meanings
        self._parties: dict[type, object] = {}
        # They take long, and are the same for all who come by one name.
        self._operations = lru_cache(maxsize=4)(lambda base_url: list(operations(self.openapi(), base_url)))
        self._page = lru_cache(maxsize=4)(self._rendered)
        # Wherever the document came from.
        super().__init__(docs_url=None, redoc_url=None, servers=[{"url": "/"}], **settings)
        # One of FastAPI's own would be built anew for each application.
        self.add_route("/docs", self._docs, include_in_schema=False)

    def serve(self, routes: Sequence[BaseRoute], party: object) -> None:
        """Take routes whose handlers ask for a party of this one's class (``party_of``). Several applications may have the same routes."""
        self._parties[type(party)] = party
        self.router.routes.extend(routes)

    def listen(self, host: str, names: Iterable[str] = (), control_key: str = "") -> None:
        """Say where it listens and by which other names it is called, before its first request.

        control_key: what ``/control`` is to be asked with where others than this machine reach it; empty: nothing.
        """
        called = frozenset(name.lower() for name in (host, *names) if name)
        self._front = replace(
            self._front, names=self._front.names | called, control_key="" if is_loopback(host) else control_key
        )

    def called(self, name: str) -> bool:
        """Whether a request by this name, or any address, may come here. name: in small letters, without a port."""
        return name in self._front.names or is_address(name)

    def build_middleware_stack(self) -> ASGIApp:
        """See Starlette: nothing comes before the front."""
        return Front(super().build_middleware_stack(), self._front)

    def party(self, kind: type) -> Any:
        """The party of a class that is served here."""
        return self._parties[kind]

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document. FastAPI's own 422 is left out: a body at fault is answered 400, in the service's own shape."""
        told = [route for route in self.routes if getattr(route, "include_in_schema", True)]
        key = self.title, tuple(map(id, told))
        if key in _DOCUMENTS:
            return _DOCUMENTS[key][1]
        made = self.openapi_schema is None
        document = super().openapi()
        if made:
            for operations in document["paths"].values():
                for operation in operations.values():
                    operation["responses"].pop("422", None)
            for unused in ("HTTPValidationError", "ValidationError"):
                document.get("components", {}).get("schemas", {}).pop(unused, None)
            put_examples(document, self._examples)
            if self._meanings is not None:
                put_meanings(document, self._meanings)
            # With the routes, or others might come to have their numbers.
            _DOCUMENTS[key] = told, document
        return document

    async def _docs(self, request: Request) -> HTMLResponse:
        base_url, sought = str(request.base_url).rstrip("/"), request.query_params.get("q", "").strip()[:_SOUGHT]
        page = self._rendered(base_url, sought) if sought else self._page(base_url)
        return HTMLResponse(page, headers=self._frame.headers)

    def _rendered(self, base_url: str, sought: str = "") -> str:
        info = self.openapi()["info"]
        body = render(self.openapi(), base_url, self._operations(base_url), sought)
        return self._frame.page(f"{info['title']}: API", prose(info["description"]), body)


def party_of(kind: type) -> Any:
    """What a handler's parameter is annotated with to get the party of a class that the application serves which took the request."""

    async def party(request: Request) -> Any:
        return request.app.party(kind)

    return Depends(party)
