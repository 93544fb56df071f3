"""The portal's pages, below ``/ui``: over the same records, rights and ledger as the APIs, never over HTTP to itself. Never imports the market.

``account``  the meters that somebody may see; log-in, log-out, the kit's gallery and files
``asked``    what an address asks: days, ranges, one of several words
``door``     what every page shares: its face, with the sessions of its browsers
``meter``    daily reads, meter and premise, who read an ESI ID's data
``reads``    an on-demand read: asked for, and how it stands, from the ledger
``series``   usage as what charts draw
``usage``    usage as pages, by day, by 30 days, by billing period; and as files
"""
