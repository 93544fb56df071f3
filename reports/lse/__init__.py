"""LSE files for people: what is wrong with them, what they hold, how they are made, how two differ; and what SMT lacks of a day.

``checked``   every fault and warning of a file, as SMT would find them
``compared``  days and intervals that differ between two files
``made``      files made of a scenario's world, or of a table of intervals
``missing``   ESI IDs of which SMT has loaded nothing for a day, asked of a running one
``shown``     the records of a file as a table, a day of one as a chart
"""
