"""The way to the meters: its law, Modbus TCP, the scheduled sweep, what meters tell unasked.

Knows no inquiry and no posting.
"""
