"""Which Modbus register holds what, as data, and both directions made from it. Opens no port.

``decode``   vendor header, midnights and intervals, from registers to records and arrays
``encode``   what a meter answers for each register, and what a write does
``layout``   the register map, defined once
``points``   points and blocks: name, type, unit, meaning
``sunspec``  common model 1, meter models 202 (split phase) and 203 (wye), as SunSpec has them
"""
