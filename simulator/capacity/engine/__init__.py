"""The compiled engine: a whole load as columns in, a row for each request out; what it does is what the live processes do, row by row.

Tests hold it to ``capacity.model``, which runs those processes over simpy with the same draws.

``doors``     what each request is in HTTP at SMT's doors
``draws``     every draw of a request, by key
``kernel``    the life of every request, over arrays and one heap of events
``law``       what a load is played at: assumptions, and the same for compiled code
``rows``      a request's row
``run``       plays a load: columns in, rows out
``table``     a policy's limits as whole numbers
``throttle``  the throttle over that table
``use``       what a load took of each resource, by five minutes
"""
