"""A scenario file as a whole: found, read, made into cases, held to be sound, told in words.

``begun``     a scenario file to begin with: another's text under a name of its own
``cases``     a scenario file as the scenarios that it makes
``chosen``    which scenarios a command line names: files, folders, shipped ones, those with a tag
``idle``      expectations that nothing can miss, metrics that no party has
``lint``      everything that a run would stumble over, found before it runs
``refusals``  who refuses in a scenario: its throttle, the codes of the refusals that it can meet, the rules that it can show
``schema``    a scenario file: a setting with the timeline of what happens; what does not fit together in one
``shipped``   what comes with the test bed, by name: scenarios and load studies
``shown``     a scenario in words
``text``      a scenario file as YAML
"""
