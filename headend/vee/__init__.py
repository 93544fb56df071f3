"""VEE: validate, edit, estimate one operating day of many meters. Pure functions: arrays in, flags and arrays out.

No clock, no database, no file in here.

``batch``     a day of many meters: flags from the rules, estimates, scaling, sum check
``estimate``  the estimation ladder
``quality``   what is said of an interval: channel, actual or estimated, method, finding
``records``   the arrays that VEE takes and gives
``rules``     the validation rules: each a formula from arrays to flags
``scaling``   estimates that add up to the registers
"""
