"""``POST /non-vee``: head-ends send what their sweeps collected, unasked but for the policy."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response, Security
from fastapi.routing import APIRoute

from headend.http.examples import documented
from headend.http.links import borne, key_of
from headend.ondemand.push import NON_VEE
from headend.wire import NonVeeBatch, NonVeeTaken
from simulator.smt.doors.both.bodies import BAD_BODY
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.market.wire import GatewayErrorReply
from simulator.smt.party import Smt


class _Keyed(APIRoute):
    """Looks at who sends a batch before it is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See FastAPI."""
        handle = super().get_route_handler()

        async def keyed(request: Request) -> Response:
            request.app.party(Smt).non_vee.senders(borne(request))
            return await handle(request)

        return keyed


def router() -> APIRouter:
    """The one call."""
    routes = APIRouter(tags=["Head-end"], route_class=_Keyed)

    @routes.post(
        NON_VEE,
        dependencies=[Security(key_of("headend"))],
        status_code=202,
        responses={
            400: BAD_BODY,
            401: documented("It does not bear a head-end's key.", GatewayErrorReply),
            403: documented("The policy does not ask for it (`push_to_smt`): do not send more.", GatewayErrorReply),
            409: documented("Another batch was taken under this `batchId`.", GatewayErrorReply),
        },
        summary="Send what sweeps collected",
    )
    async def non_vee(batch: NonVeeBatch, request: Request, smt: ServedSmt) -> NonVeeTaken:
        """Take non-VEE intervals in, at most 2 MiB at once. Each is held until the VEE data of its day are posted, and answers requests for `INTERVALS` as `store`.

        An interval that breaks a rule is not held, and told; the others of its batch are.
        """
        return smt.non_vee.take(batch, smt.non_vee.senders(borne(request)))

    return routes
