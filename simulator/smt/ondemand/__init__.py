"""The on-demand request from submission to its end: life cycle, ledger, desk, queue, the way to the head-ends.

Knows no door: what it is told and tells are records.
"""
