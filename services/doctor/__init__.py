"""What stands between a client and Headrace, examined: other origins' pages, and proxies.

tickets.py     what makes the probe's stream answer: it is there for a minute, for who was given one
findings.py    what is to be said of what was measured, and how to mend it; pure
inflated.py    what a proxy has compressed
doctor.py      the measuring, by real requests
"""
