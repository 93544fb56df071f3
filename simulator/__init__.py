"""What makes it run and who takes part, floor by floor, each importing only lower ones; ``errors`` lies under all.

``input``      what a user writes        ``runtime``   simpy on asyncio, clocks, journal, HTTP servers
``smt``        Smart Meter Texas
``world``      what a test bed is made of  ``ror``  the retailer  ``capacity``  the load engine
``parties``    meters, head-end, SMT, the sandbox  ``customer``  SMT's users at the portal
``commands``   sandbox, meters, headend and smt

Imports headend and meters; knows no scenario file and no report.
"""
