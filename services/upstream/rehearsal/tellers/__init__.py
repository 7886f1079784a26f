"""How scripts are told: one file per dialect, each with the request's shape, the stream and the whole answer. No models, no waiting.

    teller.py               what a dialect is: Vendor, Teller, and Asked, to which all requests come
    openai.py               OpenAI's server: openai_chat.py, openai_completions.py, openai_responses.py and its list of models
    anthropic.py            Anthropic's: /v1/messages, /v1/models
    gemini.py               Google's: /v1beta/models/...
    ollama.py               Ollama's: /api/...

They are written from the vendors' references and recordings of their servers, not from our readers and writers: so that
reading them proves something. To add a dialect, write its file and name it here.
"""

from collections.abc import Mapping

from services.upstream.rehearsal.tellers.anthropic import Anthropic
from services.upstream.rehearsal.tellers.gemini import Gemini
from services.upstream.rehearsal.tellers.ollama import Ollama
from services.upstream.rehearsal.tellers.openai import OpenAI
from services.upstream.rehearsal.tellers.teller import Vendor

VENDORS: Mapping[str, Vendor] = {
    "openai_chat": OpenAI(),
    "openai_completions": OpenAI(),
    "openai_responses": OpenAI(),
    "anthropic": Anthropic(),
    "gemini": Gemini(),
    "ollama": Ollama(),
    "ollama_generate": Ollama(),
}
