"""The portal API: routes, bodies as its clients know them, examples. Never imports the market.

``api``       the routes: shapes, silences, the stale read
``door``      what every call of the portal API shares: its router, whose token came, and how a call is registered
``premise``   Meter attributes, premise and HAN devices at the portal: what the market API tells
``wire``      requests and replies of SMT's portal API, field names as its customers' clients know them
"""
