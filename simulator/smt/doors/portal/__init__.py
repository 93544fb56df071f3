"""The portal API: routes, bodies as its clients know them, examples. Never imports the market.

``api``       log-in, meters, on-demand read, intervals: shapes, silences, the stale read
``door``      what every call of the portal API shares: its router, whose token came, and how a call is registered
``premise``   meter attributes, premise, HAN devices: what the market API tells (AC2)
``wire``      requests and replies of SMT's portal API, field names as its customers' clients know them
"""
