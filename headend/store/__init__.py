"""What the head-end keeps: readings, VEE'd days, events, inquiries, and how its database came to its schema.

Decides nothing, asks nobody.

``collected``   how far the store reaches, meter by meter
``events``      what meters have told unasked, kept for good: the events
``findings``    what VEE found of each day when it was validated last
``inquiries``   the inquiries that the head-end has accepted: each a row before it is answered 202
``migrate``     how a database comes to its present schema: forward migrations as data, applied on start
``migrations``  how the head-end's database came to its present schema (``headend.store.migrate``)
``partitions``  VEE's work over a day in partitions: how far each is, and under which name it is posted
``pushed``      to where SMT has taken what sweeps collected, by ESI ID
``rows``        the head-end's tables and what is in a row: one ESI ID, channel and operating day
``seat``        one process works on a database, by whatever URL another names it
``statements``  what the databases of a process share: statements compiled once, and how tables are made
``states``      how collection stands, meter by meter and day by day
``told``        what meters' headers told, by meter and day
``vee_days``    what VEE gave of each meter and day, in revisions
``store``       readings, midnight registers, posted files, and the parts above
"""
