"""Scenario files, their schema, the runner, recordings, verdicts and the requirement registry.

Imports simulator and below. A verdict is a pure function of a recording and its scenario.
"""
