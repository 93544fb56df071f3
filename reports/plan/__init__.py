"""What a rate plan costs: dollars against kWh, with its edges.

``chart``  the curve as a picture
``curve``  the bills of a month by usage, and rows of text
"""
