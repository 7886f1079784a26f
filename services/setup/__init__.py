"""What a person sets on the page: model servers, kept in settings.json, and how the page is liked, kept in the store.

servers.py    the model servers: shown, changed, tried out; changes hold at once
wishes.py     the language and the look of the page
places.py     where everything is kept, and how large it is
"""
