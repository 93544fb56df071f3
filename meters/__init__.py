"""Emulated AMS meters and what they measure: the truth of a premise, and a meter's view of it, down to the wire.

The lowest house: imports nothing of ours, knows no simpy environment and no SMT. It is handed the time by its caller.

``calendar``      seconds and microseconds, Central Prevailing Time at the edges: the one place that makes and converts them
``day_kinds``     which operating days resemble each other, and how days of 92, 96 and 100 intervals compare
``device``        one meter at its place, at any instant
``errors``        the shape of every error a user can cause: a code, a sentence, the place, the mend
``events``        what a meter tells unasked: last gasp, restoration, switch, clock
``faults``        kinds, rules, overlay and ledger of faults
``fleet``         a company's meters without an object each, a day of all of them as arrays
``identity``      TDSPs, ESI IDs, premises, meters: all invented
``kernels``       compiled kernels: the decorator, Philox
``load``          the truth: what premises draw and give
``register_map``  which Modbus register holds what, and both directions of it
``shown``         what a meter shows to whoever reads it: records that cross to the wire
``status``        status word of an interval, as in ANSI C12.19
``wire``          Modbus TCP gateways
"""

#: Seed of every command that is not told another, so that all of them speak of the same meters.
SEED = 20110504
