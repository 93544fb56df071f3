"""Pages and charts made from results (``Outcome``, ``Recording``, ``Verdict``), and from nothing else."""
