"""What is seen of a meter that is certified.

``before``     what must come before anything else is told, id by id
``power``      the power that it tells, id by id
``reading``    a reading as it stands on the wire, and what it says by the register map
``registers``  its registers, id by id
``requests``   how it answers requests of any kind, id by id
``ring``       its ring of intervals, id by id
``seen``       by id what is seen of it
``written``    its clock and its switch when they are written, id by id
"""
