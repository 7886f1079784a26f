"""How model servers talk. One dialect is one reader: it says what to POST for a turn and makes events of the bytes that come back.

Readers do no I/O (reader.py says what they are); http.py is the only file here that opens a connection. To add a dialect,
write `<name>.py` with `<Name>Reader`, put recordings of it into tests/recordings/<name>, and name it here.
"""

from collections.abc import Callable, Mapping

from services.upstream.anthropic import AnthropicReader
from services.upstream.gemini import GeminiReader
from services.upstream.ollama import OllamaReader
from services.upstream.ollama_generate import OllamaGenerateReader
from services.upstream.openai_chat import OpenAIChatReader
from services.upstream.openai_completions import OpenAICompletionsReader
from services.upstream.openai_responses import OpenAIResponsesReader
from services.upstream.reader import Reader

READERS: Mapping[str, Callable[..., Reader]] = {
    "openai_chat": OpenAIChatReader,
    "openai_completions": OpenAICompletionsReader,
    "openai_responses": OpenAIResponsesReader,
    "anthropic": AnthropicReader,
    "gemini": GeminiReader,
    "ollama": OllamaReader,
    "ollama_generate": OllamaGenerateReader,
}

# Dialects whose servers go on from a last message of the assistant's own. Servers of openai_chat do so (llama.cpp), begin a new message
# (OpenAI), or want another field for it (vLLM, Mistral), Anthropic's newer models refuse it: these are asked in words instead.
PREFILLING = frozenset({"ollama"})
