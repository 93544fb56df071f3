"""What makes it run: the simpy-on-asyncio runtime, SMT (``smt``), the retailer (``ror``), the load engine (``capacity``), the sandbox.

Imports headend and meters; knows no scenario file and no report.
"""
