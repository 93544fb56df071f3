"""What compiled array kernels are made with. Knows nothing of meters.

``jit``       the decorators: cached, without the GIL, strict rounding
``machine``   the machine code, made once and kept on the disk
``philox``    Philox4x32-10, random numbers by key and counter
``prefetch``  a hint to the processor: what will be read soon
"""
