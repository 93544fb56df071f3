"""What happens to the parties, their data and their wires, whoever asks.

``answer_fault``     a faulty head-end's answers are laid over ours
``complaint``        what users complain of is switched on or off
``load``             a workload is played: many ask at once
``modbus``           a meter's registers are read at its gateway
``party``            SMT or the head-end is cut off for a time
``registry_change``  SMT's records change in mid-run
``tdsp_file``        a file that the TDSP posts beside those of its days
"""
