"""SMT over HTTP: its service, its doors, its health.

``both``            what market and portal API share
``complaint_door``  the middleware in which complaints act
``control``         the control API's parts for SMT
``health``          whether an SMT process can do its work: its database answers, a dispatcher works on it
``market``          the market API, base ``/v2``
``non_vee``         what head-ends send unasked of what their sweeps collected
``portal``          the portal API, as customers' clients know it
``service``         the doors on one ``Smt``, call-backs of head-ends, how errors are told
``web``             the portal's pages
"""
