"""A TDSP's head-end.

Imports meters only. It is handed a driver (``ports.Driver``) that gives it model time and the world; it never imports the runtime.

``boundaries``  named places at which a crash test kills the process
``day``         VEE batch, LSE file, posting, result codes
``http``        what every HTTP service shares, SMT's too
``lse``         LSE files: what they are made of, their writer, their reader
``market``      a whole market's day in partitions
``network``     the way to the meters: its law, Modbus TCP, sweep, events
``ondemand``    the on-demand read, from inquiry to call-back
``ports``       what it is handed from outside, and the records that cross its ports
``service``     the head-end over HTTP
``store``       what the head-end keeps
``system``      all of it put together
``vee``         VEE: validate, edit, estimate one operating day of many meters
``wire``        bodies of ``POST /inquiries`` and of the call-back, which no document gives
"""
