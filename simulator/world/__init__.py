"""What a test bed is made of, as data: fleet, faults, the market around it, and posted days made for it.

Opens no port.
"""
