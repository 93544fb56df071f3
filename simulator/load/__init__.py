"""A workload played live: everybody in it asks an SMT over HTTP, each at its planned instant through its door, and polls as that door's users do.

Knows of the SMT what its clients know. The rows it gives are those of the compiled engine.

``alone``   plays a workload at an SMT elsewhere, on its clock or at a speed of one's own
``cast``    a workload's requests given to those who may ask at an SMT
``player``  the play: one process a request
``told``    what came of it, as JSON values: by class and kind, how late the player itself was
"""
