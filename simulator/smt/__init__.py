"""Smart Meter Texas, floor by floor, each importing only lower ones.

``doors``       HTTP: market, portal and control API
``party``       SMT as one party, wired once
``complaints``  what users complain of, on purpose       ``metrics``  what SMT measures of itself
``ondemand``    the request from submission to its end
``usage``       VEE usage and files    ``access``  log-ins, who read what    ``terms``  what workers have in common
``registry``    who and what SMT knows
``throttle``    the allowances
``database``    tables, transactions, seats    ``errors``  what SMT answers    ``correlation``  ids of requests
"""
