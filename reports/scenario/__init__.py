"""What came out of a scenario's run: on the terminal, and as a page.

``certified``   what is published of a certification: its page, and JUnit's XML
``charts``      the charts of a scenario's report, as inline SVG
``cost_chart``  the chart of a cycle's cost: to date on VEE data, with the gap
``coverage``    the registry of requirements and what shows each, as text and as a page
``index``       the index page over many runs
``page``        the report of a scenario's run: verdict first, then the seven steps with their evidence
``sequence``    the exchanges of a run as a sequence diagram, and each one's text
``summary``     what became of many scenarios, as a table, as Markdown, as JUnit's XML
``terminal``    what ``ami demo`` prints: steps, answer, bill, rule, verdict, files
``timeline``    the clock of a run with its actions, requests, postings and faults
``wording``     how a verdict's facts are put in words, the same for the terminal and the page: evidence
"""
