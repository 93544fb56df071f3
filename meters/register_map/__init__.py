"""Which Modbus register holds what, as data, and both directions made from it. Opens no port.

``decode``   what a head-end makes of a meter's registers: the vendor header
``encode``   what a meter answers on its register map: each register computed when somebody asks for it
``layout``   the register map, defined once
``points``   points: the values of a register map as data, each with its name, type, unit and meaning
``sunspec``  the standard models of a meter as SunSpec defines them: common model 1, meter models 202
"""
