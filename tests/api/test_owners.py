"""Every route, asked by nobody, by keys that are none, by somebody else and by whose it is: as its policy says, and no otherwise."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest

from tests.access import ADA, BOB, Guarded
from tests.api.test_policies import table

QUESTION = {"model": "rehearsal/echo", "messages": [{"role": "user", "content": "ada's own words"}]}
NOT_VALID = ("wrong", "revoked", "expired")


@pytest.fixture(scope="module")
def things(access: Guarded) -> dict[str, str]:
    """Ada's: what stands in the places of paths."""
    with access.client("ada") as client:
        generation = client.post("/chat", json={**QUESTION, "stream": False}).json()["id"]
        response = client.post("/v1/responses", json={"model": "rehearsal/echo", "input": "ada's own words"}).json()["id"]
        file = client.post("/attachments", params={"name": "ada.txt"}, content=b"ada's own file").json()["hash"]
    return {"/chat/{id}": generation, "/v1/responses/{id}": response, "/attachments/{hash}": file}


ROUTES = sorted((method, path) for method, path in table() if method != "HEAD" and not path.startswith(("/log", "/lab/runs/")))
OWNED = [(method, path) for method, path in ROUTES if path.startswith(("/chat/{", "/v1/responses/{", "/attachments/{"))]


def ask(client: httpx.Client, method: str, path: str, things: dict[str, str]) -> httpx.Response:
    """Without a body: who may, is told that it is missing."""
    for begins, thing in things.items():
        if path.startswith(begins):
            path = begins[: begins.index("{")] + thing + path[len(begins) :]
    place = path.replace("{id:path}", "some").replace("{id}", "some")
    return client.request("GET" if method == "*" else method, "/rehearsal/openai/v1/models" if method == "*" else place)


@pytest.mark.parametrize("form", ["authorization", "x-api-key", "x-goog-api-key"])
def test_a_key_that_is_none_opens_nothing(access: Guarded, things: dict[str, str], form: str) -> None:
    open_to_all = {route for route, policy in table().items() if policy == "public"}
    for name in ("", *NOT_VALID):
        value = access.keys.get(name, "")
        with access.client(**({form: f"Bearer {value}" if form == "authorization" else value} if name else {})) as client:
            for route in ROUTES if form == "authorization" else ROUTES[::6]:
                answer = ask(client, *route, things)
                assert (answer.status_code == 401) is (route not in open_to_all or bool(name)), (name, route, answer.status_code)
                assert "ada's own" not in answer.text


@pytest.mark.parametrize("fault", ["stall-headers", "html-200", "reset-headers"])
@pytest.mark.parametrize("path", ["/v1/messages", "/rehearsal/openai_chat/v1/chat/completions", "/chat"])
def test_nobody_has_no_faults(access: Guarded, path: str, fault: str) -> None:
    """They come before the endpoint that refuses, and some of them hold a connection for as long as one likes."""
    with access.client() as client:
        assert client.post(path, params={"fault": fault}, json=QUESTION).status_code == 401
        assert client.post(path, headers={"headrace-fault": fault}, json=QUESTION).status_code == 401


@pytest.fixture(params=["key", "x-api-key", "cookie"])
def bob(access: Guarded, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    made: dict[str, Callable[[], AbstractContextManager[httpx.Client]]] = {
        "key": lambda: access.client("bob"),
        "x-api-key": lambda: access.client(**{"x-api-key": access.keys["bob"]}),
        "cookie": lambda: access.logged_in(BOB),
    }
    with made[request.param]() as client:
        yield client


def test_what_is_somebody_elses_is_not_there(access: Guarded, things: dict[str, str], bob: httpx.Client) -> None:
    """And all that is nobody's own is answered, whatever else is wrong with the request."""
    for route in OWNED:
        assert ask(bob, *route, things).status_code == 404, route
    for route in sorted(set(ROUTES) - set(OWNED))[::3]:
        assert ask(bob, *route, things).status_code not in (401, 403), route
    assert things["/chat/{id}"] not in bob.get("/chat").text
    latest = things["/v1/responses/{id}"]
    followed = bob.post("/v1/responses", json={"model": "rehearsal/echo", "input": "and then?", "previous_response_id": latest})
    assert followed.status_code == 404


def test_nor_is_it_for_an_admin(access: Guarded, things: dict[str, str]) -> None:
    """A file that was attached and not sent yet neither: it is in no conversation that would say whose it is."""
    with access.client("admin") as admin:
        for route in OWNED:
            assert ask(admin, *route, things).status_code == 404, route


@pytest.mark.parametrize("form", ["key", "cookie"])
def test_whose_it_is_may(access: Guarded, things: dict[str, str], form: str) -> None:
    with access.client("ada") if form == "key" else access.logged_in(ADA) as client:
        for route in OWNED:
            assert ask(client, *route, things).is_success, route
        assert "ada's own words" in client.get(f"/chat/{things['/chat/{id}']}").text


def test_a_key_may_do_what_its_scopes_say(access: Guarded, things: dict[str, str]) -> None:
    with access.client("ada reads") as client:
        for route, policy in table().items():
            if route in ROUTES:
                assert (ask(client, *route, things).status_code == 403) is (policy in ("chat", "admin")), route
        refused = client.post("/v1/messages", json={})
        assert refused.json()["error"]["type"] == "permission_error"


def test_the_same_idempotency_key_of_two_people_is_two(access: Guarded) -> None:
    names = set()
    for key in ("ada", "bob"):
        with access.client(key, **{"idempotency-key": "shared"}) as client:
            names.add(client.post("/chat", json={**QUESTION, "stream": False}).json()["id"])
    assert len(names) == 2


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"authorization": "' OR 1=1--"}, "", 401),
        ({"authorization": "Bearer"}, "", 401),
        ({"authorization": "Basic YTpi"}, "", 401),
        ({"authorization": "Bearer hr_\xff".encode("latin-1").decode("latin-1")}, "", 401),
        ({"x-api-key": "x" * 20_000}, "", 401),
        ({"x-api-key": "hr_one", "authorization": "Bearer hr_other"}, "", 401),
        ({}, "?key=hr_something", 400),
        ({}, "?api_key=hr_something", 400),
        ({"cookie": "headrace=made-up; headrace"}, "", 401),
    ],
)
def test_odd_credentials_are_none(access: Guarded, headers: dict[str, str], query: str, status: int) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    assert httpx.get(f"{access.url}/models{query}", headers=raw).status_code == status  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["authorization", "x-api-key", "x-goog-api-key"])
def test_limits_hold_in_whatever_form_a_key_comes(access: Guarded, form: str) -> None:
    """Three requests in a minute, of all forms together: the first round takes them."""
    value = f"Bearer {access.keys['few']}" if form == "authorization" else access.keys["few"]
    with access.client(**{form: value}) as client:
        answers = [client.get("/v1/models") for _ in range(4)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "3 requests in a minute" in answers[-1].json()["error"]["message"]


def test_a_key_has_as_many_open_as_it_may(access: Guarded) -> None:
    with access.client("one") as client, access.client("one") as other:
        body = {"model": "rehearsal/longform", "messages": [{"role": "user", "content": "20000 tokens at 200 tokens/s"}]}
        with client.stream("POST", "/chat", json=body) as stream:
            assert stream.status_code == 200
            pieces = stream.iter_bytes()  # kept: without it the stream is closed
            next(pieces)
            assert other.get("/models").status_code == 429
    with access.client("bob") as another:
        assert another.get("/models").status_code == 200


def test_tokens_of_a_day_are_counted(access: Guarded) -> None:
    with access.client("poor") as client:
        first = client.post("/v1/chat/completions", json=QUESTION)
        second = client.post("/v1/chat/completions", json=QUESTION)
        assert (first.status_code, second.status_code) == (200, 429)
        assert client.get("/v1/models").status_code == 200
        assert json.loads(second.text)["error"]["code"] == "rate_limited"


def test_recordings_are_of_who_keeps_them(access: Guarded, things: dict[str, str]) -> None:
    """By an admin neither; and two people may have two of one name."""
    asked = {"model": "replay:shared@instant", "messages": QUESTION["messages"]}

    def said(client: httpx.Client) -> str:
        here = client.post("/v1/chat/completions", json={**asked, "model": f"rehearsal/{asked['model']}"})
        mock = client.post("/rehearsal/openai_chat/v1/chat/completions", json=asked)
        assert here.status_code == mock.status_code == 200, (here.text, mock.text)
        assert here.json()["choices"][0]["message"]["content"] == mock.json()["choices"][0]["message"]["content"]
        return str(mock.json()["choices"][0]["message"]["content"])

    with access.client("ada") as ada, access.client("bob") as bob, access.client("admin") as admin:
        assert ada.post(f"/chat/{things['/chat/{id}']}/recording", json={"name": "shared", "replace": True}).status_code == 201
        assert "replay:shared" in ada.get("/v1/models").text
        for other in (bob, admin):
            assert other.get("/recordings").json() == {"recordings": []}
            assert {other.request(method, "/recordings/shared").status_code for method in ("GET", "DELETE")} == {404}
            assert other.post("/chat", json=asked).status_code == 404
            answers = [other.get("/models"), other.get("/v1/models"), other.get("/rehearsal/openai_chat/v1/models")]
            answers += [other.post("/v1/chat/completions", json={**asked, "model": "rehearsal/replay:share"})]
            answers += [other.post("/rehearsal/openai_chat/v1/chat/completions", json={**asked, "model": "replay:share"})]
            assert not any("replay:shared" in answer.text or "'shared'" in answer.text for answer in answers)
        answer = b'{"object": "chat.completion", "choices": [{"message": {"role": "assistant", "content": "bob\'s own"}}]}'
        assert bob.put("/recordings/shared", content=answer).status_code == 201
        assert (said(ada), said(bob)) == ("ada's own words", "bob's own")
        assert bob.delete("/recordings/shared").status_code == 204
        assert ada.get("/recordings/shared").status_code == 200


def test_nobody_holds_somebody_elses_replay(access: Guarded, things: dict[str, str]) -> None:
    with access.client("ada") as ada, access.client("bob") as bob:
        assert ada.post(f"/chat/{things['/chat/{id}']}/recording", json={"name": "ada-s", "replace": True}).status_code == 201
        with ada.stream("POST", "/chat?model=rehearsal/replay:ada-s@step", json={"messages": QUESTION["messages"]}) as answer:
            replay = f"/rehearsal/replays/{answer.headers['headrace-generation']}"
            assert ada.post(f"{replay}/pause").json()["state"] == "paused"
            assert bob.post(f"{replay}/play").status_code == bob.get(replay).status_code == 404
            assert bob.get("/rehearsal/replays").json() == {"replays": []}
            assert ada.post(f"{replay}/play").status_code == 200
        asked = {"model": "replay:ada-s@step#mine", "messages": QUESTION["messages"], "stream": True}
        with ada.stream("POST", "/rehearsal/openai_chat/v1/chat/completions", json=asked):
            assert ada.get("/rehearsal/replays/mine").status_code == 200
            assert bob.post("/rehearsal/replays/mine/step").status_code == bob.get("/rehearsal/replays/mine").status_code == 404
            assert bob.get("/rehearsal/replays").json() == {"replays": []}
            assert ada.post("/rehearsal/replays/mine/play").status_code == 200
