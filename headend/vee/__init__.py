"""VEE: validate, edit, estimate one operating day of many meters. Pure functions: arrays in, flags and arrays out.

No clock, no database, no file in here.

``batch``     a day of many meters: flags from the rules, estimates, scaling, sum check
``findings``  what the rules found, and its sentence once somebody reads it
``flags``     what the compiled checks share: bits, what they say of a channel, how a finding is written
``kernel``    every check of one channel in one pass a row, compiled
``ladder``    the estimation ladder, scaling, the sum checked again, compiled
``locate``    where a day that fails its sum check is wrong, compiled
``lookback``  what a day looks back on: the port, and the one that answers from VEE'd days
``preset``    a company's thresholds and ladders, as a record
``quality``   what is said of an interval: channel, actual or estimated, method
``records``   the arrays that VEE takes and gives
``revise``    which meters of a day lean on the day before
``rules``     the rule book as a table, and its thresholds
"""
