"""The frame and kit of all that is HTML: one stylesheet, one layout, one table of colours. Knows no party, and no page needs a script or another host.

``frame``    puts a body into the layout: landmarks, contents from its headings, version, what day it is about
``palette``  the colours of pages and charts, for light and for dark paper
"""
