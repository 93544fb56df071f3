"""What a rate plan costs: dollars against kWh, with its edges; and what a read is worth under it.

``chart``        the curve as a picture
``curve``        the bills of a month by usage, and rows of text
``value``        the table of what a read is worth: made, kept, told in rows of text
``value_chart``  that table as a picture
"""
