"""One meter at its place: what flows, what is counted, what is recorded, what it shows at an instant. Knows no wire.

``account``       what each of a meter's faults did, as its ledger tells
``clock``         a meter's own clock against true time
``command_log``   what meters were told (switch, clock), kept over a restart
``counting``      who hangs at a place, pulses from energy, and the dials that show them
``energy``        what has flowed through a meter's place: load, less what outages and an open switch kept back
``installation``  which meter hangs at a premise: number, kind, multiplier
``meter``         one AMS meter: premise, switch, registers, clock and faults at whatever instant one asks
``reading``       a day as collection has it the next morning
``record``        raw intervals and their status under the labels of its own clock
``special``       magic ESI IDs, each of which forces an outcome
``supply``        when a premise has no power: outages, open switch
"""
