"""The workload of a load study: everybody who asks during a whole day or week, as columns, and where the power is out meanwhile.

What a caller is told, and whether he calls again, is an outcome of the engine and not drawn here. ``shipped/`` has workloads by name, ``curves.csv`` the hours of the day.

``chosen``    a workload by name or file: YAML, or a CSV or Parquet file of one's own; everything that is wrong with it
``columns``   what a workload is: a request a row, in order, and who is asked when for a live load
``curves``    how many ask in each hour: the shipped curves by kind of day, and a curve of one's own
``draw``      the requests of a plan, drawn: the same rows whatever part of the span is asked for
``fleet``     whose meters: TDSPs, access points, retailers with their shares
``never``     an instant that does not come
``outages``   which access points are out when, by a curve of meters without power
``own``       every request of one's own, from CSV or Parquet
``plan``      a workload's file made ready to be drawn: rates by the hour, outages, own requests
``spec``      a workload as it is written in YAML
"""
