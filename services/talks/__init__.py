"""All conversations: what may be asked in them, and where its answer goes. Behind services.chat, the door.

asking    a question, or another answer, becomes a generation; one at a time in a conversation
once      what is asked for under a name is asked for once
tree      what is there: the questions and answers of a conversation, and the branch that is shown
endings   what a generation said comes into its conversation, now or after a restart
queueing  messages that wait until an answer has ended
pruning   messages taken out, and put back
naming    the first title of a conversation
tastes    what a person likes to ask: presets, models
watchers  who wants to know when a conversation changes
"""
