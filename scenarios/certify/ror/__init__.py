"""What is seen of a retailer that is certified.

``asked``   what it asks of SMT for each call, id by id
``billed``  its bills of plans and usages that it is handed, id by id
``calls``   a customer's call with all that was asked of SMT for it
``seen``    all that is looked at, and by id what is seen of it
``told``    the bill that it tells a caller, id by id
"""
