"""Modbus TCP: the server, and what goes wrong on the way.

``faults``   exceptions of a gateway for meters out of reach, and spoiled replies
``gateway``  a gateway: one Modbus TCP server that answers for up to 247 meters
"""
