"""The load report.

``chart``  the chart of a load report: per level, how the planned requests end under each policy
``page``   the load report: question and verdict first, then who was served
"""
