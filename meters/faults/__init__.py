"""Faults are an overlay on the truth, with a ledger: the truth stays as it is, and what was done to it is known.

``fault``    one fault of one meter: a kind, a span, parameters
``kinds``    every kind of fault as a table
``lookalike``  true use that looks like a fault: one of one premise
``ledger``   the ledger of faults: what was done to whom and when, against which VEE is scored
``overlay``  what the recorded intervals show instead of the truth
``replies``  how a meter with faults behaves on the wire at an instant
``rules``    faults as declared, and whom a rate hits
"""
