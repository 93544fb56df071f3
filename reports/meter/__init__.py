"""A meter's day, a fleet's list and the truth in figures, for people: text, chart, JSON.

``charts``         a meter's day as a picture
``day``            one operating day as one meter holds it the next morning: registers, intervals
``day_text``       what ``ami meters show`` prints
``fleet_list``     what ``ami meters list`` prints
``truth_figures``  what the truth of a company's premises looks like in figures
``truth_page``     what ``ami meters truth`` prints: the figures beside published ones (``published.csv``)
"""
