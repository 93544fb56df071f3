"""What compiled array kernels are made with. Knows nothing of meters.

``jit``       the decorators: cached, without the GIL, strict rounding
``philox``    Philox4x32-10, random numbers by key and counter
``prefetch``  a hint to the processor: what will be read soon
"""
