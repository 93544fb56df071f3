"""A TDSP's head-end, floor by floor, each importing only lower ones.

``system``     all of it put together
``service``    its HTTP service, health, metrics
``ondemand``   the on-demand read        ``day``  VEE batch, LSE file, posting
``network``    law, transport, sweep, meters' events
``store``      what it keeps             ``lse``  LSE files
``vee``        rules, estimates, scaling ``http``  what HTTP services share
``ports``      what it is handed         ``wire``, ``boundaries``

Imports meters only. It is handed a driver (``ports.Driver``) that gives it model time and the world; it never imports the runtime.
"""
