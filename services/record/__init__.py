"""What went over the wires for one reply, and when: kept in memory, bounded, and gone with the process. No I/O here.

    records.py    the records of all generations, the oldest of which go first
    record.py     one generation: requests to the upstream and what came back, read by read; readers and what each was given
    hiding.py     no key reaches whoever looks
    timeline.py   reads, events and writes on one clock, in rows
    figures.py    what the times come to: gaps, stalls, bursts, speed
    told.py       a record as JSON
    code.py       a request as code that sends it again
    look.py       pieces as a viewer sees them

Rule: what is put down is put down in the path of every token, so that is two appends and no more. All else is done for who looks.
"""
