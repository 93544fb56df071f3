"""One meter at its place: what flows, what is counted, what is recorded, what it shows at an instant. Knows no wire.

``clock``         a meter's own clock against true time: pieces that each run at one pace
``command_log``   what meters were told (switch, clock), kept over a restart
``counting``      what the meters at one place count: who hangs there, pulses from the energy that flows
``energy``        what has flowed through a meter's place: the premise's load
``installation``  which meter hangs at a premise: number, kind, multiplier
``meter``         one emulated AMS meter: the premise's load seen through a place, a register
``record``        what a meter records under the labels of its own clock, before any fault of the record
``special``       magic ESI IDs, each of which forces an outcome
``supply``        when a premise has no power: outages of the line and an open service switch, as spans
"""
