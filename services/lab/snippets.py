"""How a client is told to ask a case, in the words of each dialect: for copying, with the base URL filled in."""

# ruff: noqa: E501

SNIPPETS: dict[str, tuple[tuple[str, str], ...]] = {
    "openai_chat": (
        ("Python", 'client = OpenAI(base_url="{base}", api_key="none")\nclient.chat.completions.create(model="any", messages=messages, stream=True)'),
        ("Node", 'const client = new OpenAI({{baseURL: "{base}", apiKey: "none"}});\nawait client.chat.completions.create({{model: "any", messages, stream: true}});'),
    ),
    "openai_responses": (
        ("Python", 'client = OpenAI(base_url="{base}", api_key="none")\nclient.responses.create(model="any", input="Hello", stream=True)'),
        ("Node", 'const client = new OpenAI({{baseURL: "{base}", apiKey: "none"}});\nawait client.responses.create({{model: "any", input: "Hello", stream: true}});'),
    ),
    "openai_completions": (
        ("Python", 'client = OpenAI(base_url="{base}", api_key="none")\nclient.completions.create(model="any", prompt="Hello", stream=True)'),
    ),
    "anthropic": (
        ("Python", 'client = Anthropic(base_url="{base}", api_key="none")\nclient.messages.stream(model="any", max_tokens=500, messages=messages)'),
        ("Node", 'const client = new Anthropic({{baseURL: "{base}", apiKey: "none"}});\nclient.messages.stream({{model: "any", max_tokens: 500, messages}});'),
    ),
    "gemini": (
        ("Python", 'client = genai.Client(api_key="none", http_options=types.HttpOptions(base_url="{base}"))\nclient.models.generate_content_stream(model="any", contents="Hello")'),
    ),
    "ollama": (
        ("Python", 'client = ollama.Client("{base}")\nclient.chat("any", messages, stream=True)'),
        ("Shell", "OLLAMA_HOST={base} ollama run any"),
    ),
    "ollama_generate": (("Python", 'client = ollama.Client("{base}")\nclient.generate("any", "Hello", stream=True)'),),
    "headrace": (("fetch", 'await fetch("{base}/chat", {{method: "POST", headers: {{"Content-Type": "application/json"}}, body}});'),),
    "event_source": (("Browser", 'const started = await fetch("{base}/chat", {{method: "POST", headers, body}});\nnew EventSource(`{base}/chat/${{started.headers.get("Headrace-Generation")}}`);'),),
    "ai_sdk": (("useChat", 'useChat({{transport: new DefaultChatTransport({{api: "{base}/ai/chat"}})}});'),),
}  # fmt: skip


def snippets(dialect: str, base: str, path: str) -> list[tuple[str, str]]:
    """The name of the client, and its code; curl, which can do all of them, is the last."""
    bodies = {
        "openai_responses": '{"model":"any","input":"Hello","stream":true}',
        "openai_completions": '{"model":"any","prompt":"Hello","stream":true}',
        "anthropic": '{"model":"any","max_tokens":500,"stream":true,"messages":[{"role":"user","content":"Hello"}]}',
        "gemini": '{"contents":[{"parts":[{"text":"Hello"}]}]}',
        "ollama_generate": '{"model":"any","prompt":"Hello"}',
        "ai_sdk": '{"messages":[{"id":"q","role":"user","parts":[{"type":"text","text":"Hello"}]}]}',
    }
    body = bodies.get(dialect, '{"model":"any","stream":true,"messages":[{"role":"user","content":"Hello"}]}')
    curl = f'curl -N "{base}{path.replace("/{id}", "")}" -H "content-type: application/json" -d \'{body}\''
    return [*((name, code.format(base=base)) for name, code in SNIPPETS[dialect]), ("curl", curl)]
