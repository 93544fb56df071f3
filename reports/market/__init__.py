"""What a market's day came to: figures from what is published, as text and as a page.

``chart``    its charts
``page``     the page
``summary``  the figures by company, and their lines for a terminal
"""
