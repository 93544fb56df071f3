"""The truth: what premises draw and give. Knows no meter and no fault.

``kernel``       compiled: registers at a midnight, a day cut into intervals
``lookalikes``   what look-alikes of faults do to a load
``premises``     premises as columns, for one or for a million
``replay``       a load taken from a file, on every day since the era
``replay_file``  the files: a customer's SMT CSV, a plain CSV profile
``shape``        what the average premise of each class uses by the quarter hour, and summed up since the era
``truth``        what a premise draws and gives: registers in closed form, intervals as an exact split
``weather``      weather of a zone as a pure function of seed and day, and what is declared of it
"""
