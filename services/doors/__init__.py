"""What the door says, in files by what it is said of; services.chat puts them together, and nobody else opens them.

belongings      whose what is, and files that were attached     conversations   what is asked in them, and done with them
replies         followed, looked at, stopped                    replays         recordings, and the hand on those that are played
models          the models there are, and their servers         preferences     what a person likes
removal         a person, and all that is theirs                figures         what there is to count, for GET /metrics
"""
