"""A fleet of meters as a party has it: its gateways, what it tells unasked, what its faults have done, and how a tester breaks it.

``control``       how each meter does, faults switched on and off
``gateways``      gateways of a fleet opened one after the other, and how a ready line tells them
``ledger``        what the meters' faults have done, in files beside them
``meter_events``  sends what meters tell unasked to a head-end, each event at its instant
``routes``        the control API's part for meters
``wire``          what that part says
"""
