"""Emulated AMS meters and what they measure: calendar, identity, load (the truth), faults, registers, gateways, fleets.

The lowest room: imports nothing of ours, knows no simpy environment and no SMT. It is handed the time by its caller.
"""

#: Seed of every command that is not told another, so that all of them speak of the same meters.
SEED = 20110504
