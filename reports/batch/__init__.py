"""A head-end's batch of a day as a page, from what ``GET /batches/DAY`` of any head-end tells.

``page``    the page and its chart
``source``  what was told, from a head-end or a file
"""
