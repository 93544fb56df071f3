"""What every HTTP service shares, SMT's too: the page under /docs, the front, the exchange under way, malformed bodies, the log.

Knows neither meters nor inquiries.

``api_pages``      the page under ``/docs`` of both services: each operation with fields, examples and replies
``described_api``  the application of a service: routes built once a process, the party they serve, its documents
``examples``       what an OpenAPI document tells of replies; captured exchanges as its examples
``exchange``       one HTTP exchange as its service sees it: where it came in, how it went
``foreign``        JSON that somebody else has written
``front``          what stands before every service: Host, Origin, the key of /control, how long a body is, slashes
``links``          the keys of the links between parties: borne by who calls, asked for by who is called
``log``            structured logs: one JSON object a line through the standard library's logging
``malformed``      why a body was not taken, and what to send instead
``unrouted``       what is told of a request that no route takes
"""
