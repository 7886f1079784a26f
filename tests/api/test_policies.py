"""Who may do what: the table of policies is read off the routes, so that a route without one is seen here first."""

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message

from services.api.errors import Endpoint, Methods
from services.api.policies import POLICIES, Policy
from services.api.rehearsal import Mock
from services.api.routes import router
from services.persons import WHO, Who


def table() -> dict[tuple[str, str], Policy]:
    """(method, path) -> policy. Fails for whatever answers at a path and is no endpoint with a policy."""
    found: dict[tuple[str, str], Policy] = {}
    for route in router(mock=Mock({})).routes:
        match route:
            case Route(app=Methods() as methods):
                found |= {(method, route.path): endpoint.policy for method, endpoint in methods.by_method.items()}
            case Mount(app=Mock() as mock):
                found["*", route.path] = mock.endpoint.policy
            case _:
                raise AssertionError(f"{route} has no policy")
    return found


def test_every_route_has_a_policy_and_hardly_any_is_public() -> None:
    policies = table()
    assert len(policies) > 30
    assert set(policies.values()) <= set(POLICIES)
    assert {path for (_, path), policy in policies.items() if policy == "public"} == {
        "/healthz",
        "/lab/probe/{ticket}",  # for who has a ticket
    }


def test_what_changes_anything_needs_more_than_to_read() -> None:
    harmless = {"/v1/messages/count_tokens", "/api/show"}
    assert {path for (method, path), policy in table().items() if policy == "read" and method in ("POST", "DELETE")} == harmless


@pytest.mark.parametrize(
    ("policy", "who", "status"),
    [
        ("public", None, 200),
        ("read", None, 401),
        ("read", Who("ada", frozenset({"read"})), 200),
        ("chat", Who("ada", frozenset({"read"})), 403),
        ("admin", Who("ada", frozenset({"read", "chat"})), 403),
        ("admin", Who("ada", frozenset({"admin"})), 200),
    ],
)
async def test_an_endpoint_answers_only_who_may(policy: Policy, who: Who | None, status: int) -> None:
    async def handler(request: Request) -> ASGIApp:
        return Response("done")

    told: list[Message] = []

    async def send(message: Message) -> None:
        told.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], **({WHO: who} if who else {})}
    await Endpoint(policy, handler)(scope, receive, send)
    assert told[0]["status"] == status
