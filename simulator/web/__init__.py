"""The frame and kit of all that is HTML: one stylesheet, one layout, one table of colours. Knows no party, and no page needs a script or another host.

``bills``     what a bill rests on, where its cycle goes, what is said of it, as the macros take it
``charts``    bars by time as SVG, one kind each or stacked: arrays in, text out
``frame``     puts a body into the layout: landmarks, contents from its headings, version, what day it is about
``gallery``   each component in each of its states
``kinds``     how an interval is known, in colour, pattern and words
``lanes``     what happened when, as SVG: spans and instants of each kind
``lines``     courses, bands of where they may go, edges and instants, as SVG
``palette``   the colours of pages and charts, for light and for dark paper
``parts``     what the kit's macros take
``plot``      what every chart stands in: its measure, and the marks at its foot
``rows``      rows below their names, as SVG: lying bars, points, shares as shades
``site``      pages that are served: their files, headers, and whose forms are believed
``visitors``  sessions, forms that count, and how what stands against a request is told
``words``     how energy, money and Central time are written
"""
