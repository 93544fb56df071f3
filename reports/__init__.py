"""Pages and charts made from results (``Outcome``, ``Recording``, ``Verdict``), and from nothing else; and the commands that make or show results.

``balance``         a customer's own usage file as a bill to date and where it goes
``batch``           a head-end's batch of a day
``capacity``        the load report
``chart_parts``     what pictures (PNG) share: colours, bare axes, how one is written
``commands``        balance, demo, report, capacity, console, lse, market-day, meters list, show and truth, plan, vee make, run, report and score
``console``         the tester's console: a test bed in a browser, by its control calls
``interval_table``  intervals as a table, CSV or Parquet
``lse``             LSE files checked, shown, made and compared; what SMT lacks of a day
``market``          a market's day: its figures, its page
``meter``           a meter's day, a fleet's list
``plan``            what a rate plan costs, against kWh
``scenario``        a scenario's result, on terminal and page
``score``           what an engine of VEE is fed, our batch over it, and the scorecard
``terminal``        what every command prints through: one width, the same content on a terminal and in a pipe
``text_chart``      a day as a chart of characters: delivered above the axis, received below it
"""
