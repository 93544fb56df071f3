"""The truth: what premises draw and give. Knows no meter and no fault.

``kernel``       the kernels of the load: a premise's registers at a midnight, and its day cut into intervals
``premises``     premises as columns, for one or for a million
``replay``       replay: a premise whose load is that of a file, on every day since the era
``replay_file``  files that a load is replayed from: a customer's SMT interval CSV
``shape``        what the average premise of each class uses: by the quarter hour on one day
``truth``        the truth: what a premise draws from the grid and gives to it, as a pure function of seed
``weather``      weather as a pure function of seed, zone and day
"""
