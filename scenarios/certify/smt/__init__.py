"""What is seen of an SMT that is certified, and what it is handed.

``allowance``  its throttle, and its refusals, id by id
``answers``    what it hands on, and how a request stands, id by id
``asked``      a request with all that came of it
``breaches``   what its throttle did against its rules
``handed``     what it is handed: the records of service points, retailers and log-ins
``looked``     all that is looked at
``portal``     its portal: usage, and the reads that customers ask for there, id by id
``posted``     the usage that it tells, id by id
``requests``   how it takes a request, id by id
``seen``       by id what is seen of it
"""
