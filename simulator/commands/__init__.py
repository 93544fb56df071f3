"""The commands and their options. Heavy imports are inside functions, so that --help is at once.

``registry``  ``ami smt registry``
``serve``     ``ami meters|headend|smt serve`` and ``ami sandbox``
``vee``       ``ami vee lint``
"""
