"""SMT over HTTP: its service, its health, and the middleware in which complaints act.

``both``      what market and portal API share, so that they cannot differ (AC2)
``market``    the market API, base ``/v2``
``portal``    the portal API, as customers' clients know it
``control``   the control API's parts for SMT
"""
