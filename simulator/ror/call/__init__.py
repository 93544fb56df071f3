"""The Customer Balance Inquiry at the retailer: one process, and the pure functions that it decides and tells by.

``analysis``    the plan's edges in reach, and whether VEE data suffice (S2)
``answer``      S6, the real-time billing analysis that the caller is told
``basis``       what a bill rests on: its kWh and dollars by what is known of each quarter hour
``doubts``      what a desk doubts of non-VEE intervals, by rows of the VEE rule book
``inquiry``     the inquiry (S1 to S7) as one process
``on_demand``   an on-demand request as the retailer lives it: asked once, then polled until it is answered
``rebill``      the bill that was told, made again from VEE data
``said``        what the agent says, and the marks that tell what is wrong with the data
``stand``       the bill to an instant and where it is going, on what is known and what is expected
"""
