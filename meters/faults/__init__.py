"""Faults are an overlay on the truth, with a ledger: the truth stays as it is, and what was done to it is known.

kinds (the table), fault (one of one meter), rules (declared by meter, gateway or rate), overlay (intervals), ledger.
"""
