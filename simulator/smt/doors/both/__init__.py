"""What market and portal API share: what is asked and told of usage, premise, refusals. Knows neither door.

``asked``             the days asked for, and a service point that someone may see
``bodies``            bodies that both doors have: the base of every one that is posted, a day of energy, a refusal
``missing``           ESI IDs of which nothing is loaded for a day
``premise``           meter, premise and HAN devices as both tell them
``premise_wire``      requests and replies for meter attributes, premise and HAN devices
``rd``                the ``RD`` text of 100 comma slots
``refusal``           how both doors tell that a request was taken, refused, or ended without an answer
``served``              the SMT that a request is for
``usage_reads``       interval days and daily registers in SMT's own shapes
"""
