"""VEE: validate, edit, estimate one operating day of many meters. Pure functions: arrays in, flags and arrays out.

``quality``   what is said about an interval: channel, status, method, finding
``records``   the arrays that go in (``DayBlock``, ``History``) and come out (``VeeDay``)
``rules``     the checks, each a formula with its source
``estimate``  the ladder: interpolate, flat, mean of like days, zero
``scaling``   estimates made to add up to the registers
``batch``     one day of many meters through all of it

No clock, no database, no file in here.
"""
