"""What vendors call content: a text, or parts of which some have one."""


def text_of(content: object) -> str:
    """The texts of it, one after the other; nothing of what has another shape."""
    match content:
        case str():
            return content
        case list():
            return "".join(text for part in content if isinstance(part, dict) and isinstance(text := part.get("text"), str))
    return ""
