"""A retailer's balance desk as a service: who asks a call, what became of it, and whether the customer can be satisfied.

Who may log in is its party's affair; SMT is reached by the market API alone.

``app``        its HTTP service
``calls``      the calls under way and their records, in memory and in a ledger
``health``     whether it can do its work
``satisfied``  what can be judged of a call without the truth (AMB-12)
``served``     what its API and its pages share: the desk, who gets in
``web``        the call screen of its agents
``wire``       the bodies of its API
"""
