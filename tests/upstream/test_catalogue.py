"""Which model is meant, and which servers run. A server that does not answer is a state, never an error."""

import asyncio

import pytest
from msgspec import structs

from services.errors import ProtocolError, Refused, UnknownModel, Unreachable, UpstreamError
from services.messages import Turn
from services.models import Model
from services.record.record import Record
from services.upstream.catalogue import Catalogue, is_local
from services.upstream.http import Emit


class Mill:
    """An upstream that lists these models, fails with this error, or never answers."""

    def __init__(
        self, name: str, *models: str, error: UpstreamError | None = None, silent: bool = False, host: str = "127.0.0.1:1"
    ) -> None:
        self.name = name
        self.host = host
        self.asked = self.learned = 0
        self._models = models
        self.error = error
        self._silent = silent

    async def read(self, turn: Turn, emit: Emit, record: Record | None = None) -> None:
        pass

    async def learn(self, known: Model) -> Model:
        self.learned += 1
        if self.error:
            raise self.error
        return structs.replace(known, context=4096, vision=True)

    async def models(self) -> list[Model]:
        self.asked += 1
        if self._silent:
            await asyncio.Event().wait()
        if self.error:
            raise self.error
        return [Model(name) for name in self._models]


class Slow(Mill):
    """Answers after a while."""

    async def models(self) -> list[Model]:
        await asyncio.sleep(0.1)
        return await super().models()


BUILTIN = Mill("rehearsal", "guide", "echo")


async def catalogue(*upstreams: Mill, preferred: str = "", **fixed: list[str]) -> Catalogue:
    made = Catalogue(upstreams, fixed=fixed, preferred=preferred, patience=0.05, remote_patience=0.05)
    await made.refresh()
    return made


@pytest.mark.parametrize(
    ("name", "upstream", "model"),
    [
        ("ollama/llama", "ollama", "llama"),
        ("llama", "ollama", "llama"),
        ("ollama/unlisted:7b", "ollama", "unlisted:7b"),
        ("router/meta/llama", "router", "meta/llama"),
        ("meta/llama", "router", "meta/llama"),
        ("", "ollama", "llama"),
    ],
)
async def test_a_model_is_named_in_full_or_by_itself(name: str, upstream: str, model: str) -> None:
    known = await catalogue(Mill("ollama", "llama"), Mill("router", "meta/llama"), BUILTIN)
    found, own = known.resolve(name)
    assert (found.name, own) == (upstream, model)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lama", "Nearest: ollama/llama"),
        ("olama/llama", "ollama/llama"),
        ("zzz", "There are: ollama/llama"),
        ("rehearsal/gide", "rehearsal/guide"),
        ("twice", "write ollama/twice or vllm/twice"),
    ],
)
async def test_an_unknown_model_names_the_nearest(name: str, words: str) -> None:
    known = await catalogue(Mill("ollama", "llama", "twice"), Mill("vllm", "twice"), BUILTIN)
    with pytest.raises(UnknownModel, match=words):
        known.resolve(name)


async def test_the_default_is_the_preferred_one_while_it_runs() -> None:
    ollama = Mill("ollama", "llama", "phi")
    assert (await catalogue(ollama, BUILTIN, preferred="ollama/phi")).default() == "ollama/phi"
    assert (await catalogue(ollama, BUILTIN, preferred="gone/phi")).default() == "ollama/llama"
    alone = await catalogue(Mill("ollama", error=Unreachable("No.")), BUILTIN)
    assert (alone.default(), alone.alone) == ("rehearsal/guide", True)


@pytest.mark.parametrize(
    ("mill", "state"),
    [
        (Mill("x", "a"), "running"),
        (Mill("x"), "running"),
        (Mill("x", silent=True), "not running"),
        (Mill("x", error=Unreachable("No.")), "not running"),
        (Mill("x", error=Refused("The API key was rejected.", http_status=401)), "refusing"),
        (Mill("x", error=ProtocolError("That is no list of models.")), "refusing"),
    ],
)
async def test_a_server_is_in_one_of_these_states(mill: Mill, state: str) -> None:
    (listing,) = (await catalogue(mill)).listings()
    assert listing.state == state


async def test_models_that_settings_name_are_not_asked_for() -> None:
    openai = Mill("openai", host="api.openai.com")
    known = await catalogue(openai, openai=["gpt-5-mini"])
    assert (known.names(), openai.asked) == (["openai/gpt-5-mini"], 0)


async def test_refreshes_are_shared_and_not_repeated_needlessly() -> None:
    ollama = Mill("ollama", "llama")
    known = Catalogue([ollama])
    await asyncio.gather(known.refresh(), known.refresh(), known.refresh(60))
    assert ollama.asked == 1
    await known.refresh(60)
    assert ollama.asked == 1
    await known.refresh()
    assert ollama.asked == 2


@pytest.mark.parametrize("host", ["localhost:11434", "127.0.0.1:1", "[::1]:8000", "127.1.2.3:80"])
def test_local_servers_are_given_little_time(host: str) -> None:
    assert is_local(host)
    assert not is_local("api.openai.com")


async def test_who_watches_is_told_when_models_come_and_go_and_only_then() -> None:
    mill = Mill("ollama", error=Unreachable("not running"))
    known = Catalogue([mill])
    told: list[str] = []
    end = known.watch(lambda: told.append(known.listings()[0].state))
    await known.refresh()
    await known.refresh()
    mill.error = None
    await known.refresh()
    end()
    mill.error = Unreachable("not running")
    await known.refresh()
    assert told == ["not running", "running"]


async def test_it_keeps_itself_fresh_and_spares_the_servers_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.upstream.catalogue.LOCAL_EVERY", 0.001)
    monkeypatch.setattr("services.upstream.catalogue.REMOTE_EVERY", 3600.0)
    local, remote = Mill("ollama", "llama"), Mill("openai", "gpt", host="api.openai.com")
    known = Catalogue([local, remote])
    came = asyncio.Event()
    known.watch(came.set)
    keeping = asyncio.create_task(known.keep_fresh())
    await asyncio.wait_for(came.wait(), 5)
    keeping.cancel()
    assert (known.names(), remote.asked) == (["ollama/llama"], 0)


async def test_who_asks_for_it_gives_a_slow_local_server_time() -> None:
    mill = Slow("ollama", "llama")
    known = Catalogue([mill], patience=0.01, remote_patience=10.0)
    await known.refresh()
    assert known.listings()[0].state == "not running"
    await known.refresh(patient=True)
    assert known.listings()[0].state == "running"


async def test_a_model_that_is_chosen_is_asked_about_once() -> None:
    mill, told = Mill("ollama", "llama", "phi"), 0
    known = await catalogue(mill, BUILTIN)

    def changed() -> None:
        nonlocal told
        told += 1

    known.watch(changed)
    for _ in range(2):
        await known.learn("ollama/llama")
        await known.refresh()
    assert known.model("ollama", "llama") == Model("llama", context=4096, vision=True)
    assert known.model("ollama", "phi") == Model("phi")
    assert (mill.learned, told) == (1, 1)
    mill.error = Refused("Not here.")
    await known.learn("ollama/phi")  # nothing comes of it, and it may be asked again
    mill.error = None
    await known.learn("ollama/phi")
    assert known.model("ollama", "phi") == Model("phi", context=4096, vision=True)
    await known.learn("ollama/unlisted")
    await known.learn("nobody/llama")
