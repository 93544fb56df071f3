"""What the head-end keeps: readings, VEE'd days, events, inquiries, and how its database came to its schema.

Decides nothing, asks nobody.
"""
