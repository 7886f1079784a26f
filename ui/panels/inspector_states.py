"""The states of a reply, as they are said."""

from ui.language import phrase

STATES = {
    "waiting": phrase("waiting"),
    "streaming": phrase("streaming"),
    "finished": phrase("finished"),
    "stopped": phrase("stopped"),
    "failed": phrase("failed"),
    "interrupted": phrase("interrupted"),
}
