"""Who may: each endpoint says it, and nothing without a policy can be an endpoint. What is not allowed is denied."""

from typing import Literal, get_args

from starlette.requests import Request
from starlette.types import Scope

from services.chat import Chat
from services.errors import Forbidden, Unauthorized
from services.persons import WHO, Who

CHAT = "headrace.chat"  # of a request's scope: the Chat of who asks

Policy = Literal["public", "read", "chat", "admin"]  # but for the first, the scopes of services.persons
POLICIES: tuple[Policy, ...] = get_args(Policy)


def check(policy: Policy, scope: Scope) -> None:
    """Raises Unauthorized for nobody, and Forbidden for who may not."""
    if policy == "public":
        return
    who: Who | None = scope.get(WHO)
    if who is None:
        raise Unauthorized("Say who asks: send a key of Headrace as `Authorization: Bearer hr_...` or `x-api-key: hr_...`.")
    if policy not in who.scopes:
        raise Forbidden(f"This key may not do this: it has the scopes {', '.join(sorted(who.scopes)) or 'none'}, and `{policy}` is needed.")


def mine(request: Request) -> Chat:
    """What there is for who asks. Handlers have no other Chat: what belongs to somebody else is not there for them."""
    chat: Chat = request.scope[CHAT]
    return chat
