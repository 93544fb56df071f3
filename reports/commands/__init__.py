"""The commands that show something. Heavy imports are inside functions, so that --help is at once.

``balance``   ``ami balance``
``capacity``  ``ami capacity``
``cells``     how far a study is, on the terminal and in a file
``certify``   ``ami certify``
``console``   ``ami console``
``demo``      ``ami demo`` and ``ami report``
``executors``  where a command computes: here, in processes, on a cluster
``load``      ``ami load``
``lse``       ``ami lse``
``market``    ``ami market-day``
``meters``    ``ami meters list``, ``show`` and ``truth``
``plan``      ``ami plan list``, ``lint``, ``show``, ``label`` and ``value``
``scenario``  ``ami scenario run``
``vee``       ``ami vee make``, ``run``, ``report`` and ``score``
"""
