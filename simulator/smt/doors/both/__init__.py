"""What market and portal API share: what is asked and told of usage, premise, refusals. Knows neither door.

``asked``             what portal and market API share: the days that are asked for, a point that someone may see
``bodies``            bodies that both doors have: the base of every one that is posted, a day of energy, a refusal
``premise``           what both doors tell of a service point beside its usage: its meter, its premise
``premise_wire``      requests and replies for meter attributes, premise and HAN devices
``rd``                the ``RD`` text of SMT's 15-minute replies: 100 comma slots a day, placed by local clock
``refusal``           how both doors tell that a request was taken, refused, or ended without an answer
``usage_reads``       what both doors tell of the repository: interval days and daily registers
"""
