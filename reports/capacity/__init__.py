"""The load report, and what a workload is.

``charts``          what the charts of a load report show: front, busy shares, refusals, swings
``clauses``         FR CR016.1 clause by clause: what each does beside the same policy without it, and what would turn it
``compare``         throttle policies compared: tables, CSV
``headline``        the answer in a sentence, and what has to stand beside it
``page``            the load report: the answer first, then every table and picture
``pictures``        the same as PNG for slides
``shown``           the same as charts of the page, each with its table
``study``           a study's tornado, knees and levels as lines of text
``throttle_study``  the answer to the use case's open issue as a document, FR CR016.1 rewritten at its end
``whatif``          what one policy changes, as lines of text
``words``           what page and document say in the same words
``workload``        what a workload asks for, in figures and in lines of text
``workload_chart``  a workload as a picture: requests by class over the days, meters without power
"""
