"""VEE: validate, edit, estimate one operating day of many meters. Pure functions: arrays in, flags and arrays out.

No clock, no database, no file in here.

``batch``     one operating day of many meters through VEE: flag, estimate, scale, check the sum again
``estimate``  the estimation ladder for one meter's day: straight line, flat, mean of like days, zero
``quality``   what is said about an interval: which channel, whether it is actual
``records``   the arrays that VEE takes and gives: one operating day of many meters, a row a meter
``rules``     the validation rules: each a formula from arrays to flags
``scaling``   estimates made to add up to the registers
"""
