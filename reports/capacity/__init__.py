"""The load report, and what a workload is.

``compare``         throttle policies compared: the answer in a sentence, tables, CSV
``page``            the load report
``study``           a study's tornado, knees and levels as lines
``whatif``          what a policy would change against today's limits, as lines
``workload``        what a workload asks for, in figures and in lines of text
``workload_chart``  a workload as a picture: requests by class over the days, meters without power
"""
