"""How clients want to be answered: one dialect per file, WRITERS the table. Sans-IO: dicts and entries in, bytes out.

    XWriter.turn(body) -> Turn           a request's JSON object, or Invalid with a sentence
    XWriter(started, body)               one writer per stream; `body` again, for what concerns the answer only
    writer.write(entries) -> bytes       whole frames, ready to be sent in one piece
    XWriter.whole(reply, body) -> bytes  the same answer as one JSON object, for clients that do not stream
    XWriter.refusal(error) -> bytes      this dialect's shape of an error before the first byte

A writer is strict: it never repairs a story, because a log only holds whole ones. It is fed every entry from the first
one, also on a resume, where the caller drops the bytes the client already has: what a delta means depends on how its part
began. A dialect whose events have numbers of their own (openai_responses) drops them itself.
"""

from services.downstream.ai_sdk import AISDKWriter
from services.downstream.anthropic import AnthropicWriter
from services.downstream.native import EventsWriter, MessagesWriter
from services.downstream.ollama import OllamaChatWriter, OllamaGenerateWriter, OllamaWriter
from services.downstream.openai_chat import OpenAIChatWriter
from services.downstream.openai_completions import OpenAICompletionsWriter
from services.downstream.openai_responses import OpenAIResponsesWriter
from services.downstream.text import TextWriter
from services.downstream.writer import Writer

WRITERS: dict[str, type[Writer]] = {
    "events": EventsWriter,
    "messages": MessagesWriter,
    "text": TextWriter,
    "ollama": OllamaWriter,
    "openai_chat": OpenAIChatWriter,
    "openai_completions": OpenAICompletionsWriter,
    "openai_responses": OpenAIResponsesWriter,
    "ai_sdk": AISDKWriter,
    "anthropic": AnthropicWriter,
    "ollama_chat": OllamaChatWriter,
    "ollama_generate": OllamaGenerateWriter,
}
