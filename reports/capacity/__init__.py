"""The load report, and what a workload is.

``chart``           the chart of a load report: per level, how the planned requests end under each policy
``compare``         throttle policies compared: the answer in a sentence, tables, JSON, CSV
``page``            the load report: question and verdict first, then who was served
``workload``        what a workload asks for, in figures and in lines of text
``workload_chart``  a workload as a picture: requests by class over the days, meters without power
"""
