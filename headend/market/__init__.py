"""A whole market's day: every TDSP's meters cut into partitions, each from truth over faults and VEE to published files. Standard executors, no network.

``collected``  what collection holds of a fleet's day, as VEE takes it
``lse``        a partition's LSE file, from its published one
``partition``  one partition: truth, faults, VEE, columns, totals; kept in files
``past``       what a fleet's day looks back on, as it was read then
``plan``       whose meters, how they are cut, what a run's results are results of
``published``  files that are there whole or not at all, and say what they are results of
``run``        partitions over an executor; totals from what is published
``usual``      faults of an ordinary day
"""
