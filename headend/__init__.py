"""A TDSP's head-end: network model, transports, collection, on-demand reads, VEE, LSE files, posting, its HTTP service.

Imports meters only. It is handed a driver (``ports.Driver``) that gives it model time and the world; it never imports the runtime.
"""
