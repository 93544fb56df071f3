"""The commands and their options. Heavy imports are inside functions, so that --help is at once.

``headend``   ``ami headend serve``
``meters``    ``ami meters serve``
``options``   options that several commands have: which clock, which meters, where to listen
``registry``  ``ami smt registry``
``sandbox``   ``ami sandbox``
``smt``       ``ami smt serve``
"""
