"""The tap: every exchange on every wire as a line of JSON, written at the end that is ours, each line sealed by the hash of the one before.

Knows no party: it is handed a clock, applications, transports. What parties beside it send is the wire's, told as it came; secrets are keyed hashes.

``chain``   whether a file of lines is whole, and its exchanges read
``ftp``     what a file site's client commands and is told
``http``    what comes in at an application, and what goes out by a client
``log``     the file: lines in the model's order, chained, never half a one
``masked``  bodies, headers and paths without their secrets
``modbus``  what a meter is asked and answers
"""
