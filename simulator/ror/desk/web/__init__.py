"""The call screen of a retailer's agent, below ``/desk/``: over the desk and its records as the API tells them, never over HTTP to itself.

Nothing of a call is kept with a page: a reload and a second tab show the same. A figure is taken from the record of the call and not made again.

``calls``     the accounts, a call from the customer on the line to what was told, and the meter asked all the same
``door``      what every page shares: its face with log-in and sessions, how what stands against it is told
``drawn``     where the cycle goes and the day by hour, as charts
``rebilled``  what VEE data made of the bill that was told
``rests``     what is owed, what of the bill is known how, what a read is worth
``said``      what the agent says, each number linked to where it comes from
``stands``    how a call stands, and how long the caller waits
"""
