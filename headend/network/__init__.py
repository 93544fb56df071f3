"""The way to the meters: its law, Modbus TCP, the scheduled sweep, what meters tell unasked.

Knows no inquiry and no posting.

``events``     what meters tell the head-end unasked, and what a silent meter's last words say of its power
``law``        the AMI network as laws and draws: hops, link loss, backhaul
``sweep``      the scheduled sweep: every meter read in the access point's order, what it gave kept
``transport``  reads meters over Modbus TCP: one connection per gateway kept open
"""
