"""Five systems that were there before Headrace and get their tokens from it now: each client reads its stream its own way.

cut_lines      a page that splits lines by hand and appends Ollama's objects to a span
out_of_band    a page that is told states beside the text, from a Responses upstream
event_source   a page that only knows EventSource
bare_text      a page of another origin that appends whatever comes, from a legacy completions upstream
bearer         a page with a key, ids on every event, and a stop button
"""
