"""The TDSP's day: when it has ended it is validated, written, posted to SMT's site, and its result codes fetched.

``cycle``      an operating day's end as one process: batch, file, posting, result codes
``due``        what is to be validated when a day has ended, late data included
``posting``    files to and from SMT's site over FTPS with explicit TLS
``power``      an operating day's power by what meters told unasked
``storm``      areas with so many silent meters that nothing is made up for those
``summary``    what is to be known of a batch in a few figures
``times``      when on the day after it is validated and posted
``validated``  a partition of a day through VEE
"""
