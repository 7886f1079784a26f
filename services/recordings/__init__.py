"""Named recordings: what a model server sent for one request, with its times, as plain files that anybody's tests can use.

    recording.py    the value, and taking one of a generation's record
    file.py         its file: one place that knows the format (docs/recordings.md)
    guess.py        which dialect bytes are in
    bringing.py     bytes from elsewhere, as recordings: a file of ours, a body, a HAR
    bodies.py       a body as it was saved
    har.py          what browsers save of a page's traffic
    asked.py        what was asked, in any dialect
    keeper.py       where recordings are: the only file here that opens one

Rule: of a request only its path and its JSON body are kept. Headers of a request never get into a recording.
"""
