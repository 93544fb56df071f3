"""``ami capacity``.

``compare``  throttle policies over whole workloads
``study``    a load study run, the group of all these commands, a workload shown
``whatif``   what a policy would change, for a fleet and calls of one's own
"""
