"""What compiled array kernels are made with. Knows nothing of meters.

``jit``     how this project compiles array kernels: one decorator, so that every kernel is cached
``philox``  Philox4x32-10: random numbers as a pure function of (key, counter)
"""
