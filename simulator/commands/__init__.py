"""The commands and their options. Heavy imports are inside functions, so that --help is at once.

``accounts``  ``ami accounts lint``
``registry``  ``ami smt registry``
``serve``     ``ami meters|headend|smt|ror serve`` and ``ami sandbox``
``vee``       ``ami vee lint``
"""
