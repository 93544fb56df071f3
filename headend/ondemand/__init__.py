"""The on-demand read: the gap, the process, its live port, the desk that keeps inquiries, the answer on the wire; and what SMT is sent unasked.

``answer_wire``  an answer of the on-demand process put on the wire: what the store holds now
``desk``         keeps an inquiry before it is accepted, takes it to its call-back, goes on after a restart
``gap``          the gap of a balance inquiry
``live``         the live port of the on-demand process: real meters over Modbus TCP
``process``      the on-demand read as one simpy process: the store first, the meter for what the store lacks
``push``         what sweeps collected, on its way to SMT
"""
