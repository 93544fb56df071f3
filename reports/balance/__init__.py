"""A customer's own usage file as a bill to date and where it goes.

``chart``  the cycle's usage with its band and the plan's edges, the day by hour beside a usual one
``page``   the statement as a page of its own
``text``   the statement in lines
"""
