"""The portal API: routes, bodies as its clients know them, examples. Never imports the market.

``api``       log-in, meters, dashboard
``door``      what every call of the portal API shares: its router, whose token came, and how a call is registered
``premise``   meter attributes, premise, HAN devices: what the market API tells (AC2)
``reads``     on-demand reads: silences, the stale read
``usage``     posted usage: what the market API tells (AC2), in the portal's words
``wire``      requests and replies of SMT's portal API, field names as its customers' clients know them
"""
