"""The head-end as others see it: its HTTP service, its health, its metrics. Decides nothing of its own.

``app``              the head-end's HTTP service: takes inquiries and events (202) and leaves them to their desks
``batch_wire``       the batch report of a day, as the head-end tells it
``collection_wire``  how collection stands, as the head-end tells it
``findings_wire``    what VEE found of a day, as the head-end tells it
``health``           whether a head-end can do its work: its store takes writes, its sweeps come
``metrics``          what a head-end measures of itself, for Prometheus
"""
