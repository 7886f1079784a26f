"""What a reply counts against a key: the tokens that its server has told, or, where it tells none, as many as the text may have had."""

from services.messages import Reply, Text, Turn

CHARACTERS = 4  # of a token, where nobody counts


def spent(turn: Turn, reply: Reply) -> int:
    usage = reply.usage
    if usage and usage.total_tokens:
        return usage.total_tokens
    told = (usage.input_tokens or 0) + (usage.output_tokens or 0) if usage else 0
    return told or _length(turn, reply) // CHARACTERS


def _length(turn: Turn, reply: Reply) -> int:
    parts = [*(part for message in turn.messages for part in message.parts), *reply.parts]
    return sum(len(part.text) for part in parts if isinstance(part, Text))
