"""``ami scenario from``: what a file saw becomes a scenario that plays it again. No secret and no id of a real person is carried over.

``exchange``  a call and its answer, as the mapping reads it, whatever file told it
``har``       exchanges of an HTTP archive, as browsers and proxies export it
``kept``      exchanges of a file of ours, and the actions of a recording of ours
``mapped``    exchanges as actions of a timeline: polls and log-ins folded into what they were for
``names``     who and what a file names, as members of the scenario's cast; secrets left out and counted
``taken``     the scenario file: its setting, its timeline, and in comments what could not be carried
"""
