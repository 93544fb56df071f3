"""What makes it run: simpy on asyncio, clocks, journal, HTTP servers, the local CA, output folders.

Knows no party and no world.
"""
