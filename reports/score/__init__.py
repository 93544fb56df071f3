"""The scorecard of VEE: what an engine is fed, our batch over it, and what it is worth. Nothing here is drawn: the meters and their faults are a fleet's.

``chart``      the charts of the page
``cmep``       interval data as meters' collectors exchange them (CMEP), written and read
``delivered``  what an engine delivered, ours or another's, as arrays: Parquet, CSV, LSE and CMEP files, a map of rule names
``engine``     our batch over what was made
``made``       what an engine is fed, and the truth apart from it: written and read
``page``       the figures as a page with charts
``scored``     the figures of a day and of many, from arrays alone (``rules_kinds.csv``: which rule tells which kinds of fault)
``text``       the figures for people, beside the targets
"""
