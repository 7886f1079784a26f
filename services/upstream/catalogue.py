"""All upstreams by name, the models they have, and which one is meant. It opens no connection itself.

A model is named `upstream/model`; the bare name works where it is unique. A server that does not answer is "not running",
which is a state and never an error: people start and stop their model servers all day.
"""

import asyncio
import difflib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from services.errors import TimedOut, UnknownModel, Unreachable, UpstreamError
from services.messages import Turn
from services.models import Listing, Model
from services.persons import LOCAL
from services.record.record import Record
from services.upstream.http import Emit

log = logging.getLogger(__name__)

LOCAL_EVERY = 15.0  # seconds between two questions to the servers of this machine
REMOTE_EVERY = 600.0  # and to all others


class Upstream(Protocol):
    name: str
    host: str

    async def read(self, turn: Turn, emit: Emit, record: Record | None = None) -> None: ...

    async def models(self) -> list[Model]: ...

    async def learn(self, known: Model) -> Model:
        """What is told of one model besides the list."""


class Catalogue:
    """`fixed` are models that settings name, so the server is not asked; `builtin` names the upstream of last resort.

    `refuses` tells of an upstream by its name which options it cannot take; `own(person)` which models of the built-in one are
    only this person's.
    """

    def __init__(
        self,
        upstreams: Iterable[Upstream],
        *,
        fixed: Mapping[str, Sequence[str]] | None = None,
        builtin: str = "rehearsal",
        preferred: str = "",
        patience: float = 0.3,
        remote_patience: float = 5.0,
        prefilling: Iterable[str] = (),
        refuses: Callable[[str], frozenset[str]] = lambda _: frozenset(),
        own: Callable[[str], Sequence[str]] = lambda _: (),
    ) -> None:
        self._own = own
        self._builtin = builtin
        self._remote_patience = remote_patience
        self._take(upstreams, fixed or {}, preferred, patience, prefilling, refuses)
        self._listings = {name: self._first_listing(upstream) for name, upstream in self._upstreams.items()}
        self._refreshing: asyncio.Task[None] | None = None
        self._learned: dict[tuple[str, Model], Model] = {}  # what was learned of a model, by its server and what the list says of it
        self._watchers: list[Callable[[], None]] = []
        self._asked: float | None = None  # when the last refresh ended

    def _take(
        self,
        upstreams: Iterable[Upstream],
        fixed: Mapping[str, Sequence[str]],
        preferred: str,
        patience: float,
        prefilling: Iterable[str],
        refuses: Callable[[str], frozenset[str]],
    ) -> None:
        self._upstreams = {upstream.name: upstream for upstream in upstreams}
        self._fixed = fixed
        self._preferred = preferred
        self._patience = patience
        self._prefilling = frozenset(prefilling)
        self._refuses = refuses

    def replace(self, by: "Catalogue") -> None:
        """Become what another one is, which nobody has asked yet. What an upstream that is gone still says is said to its end.

        An upstream that is in both (the same object) keeps its listing; the others are to be asked: see `refresh`.
        """
        before, listings = self._upstreams, self._listings
        self._learned = {key: model for key, model in self._learned.items() if by._upstreams.get(key[0]) is before.get(key[0])}
        self._take(by._upstreams.values(), by._fixed, by._preferred, by._patience, by._prefilling, by._refuses)
        kept = {name for name, upstream in self._upstreams.items() if before.get(name) is upstream and not self._fixed.get(name)}
        self._listings = {name: listings[name] if name in kept else first for name, first in by._listings.items()}
        for changed in tuple(self._watchers):
            changed()

    def tell(self) -> None:
        """Somebody's own models are others now."""
        for changed in tuple(self._watchers):
            changed()

    def _first_listing(self, upstream: Upstream) -> Listing:
        models = self._fixed.get(upstream.name)
        if models:
            return Listing(upstream.name, upstream.host, "running", tuple(Model(name) for name in models))
        return Listing(upstream.name, upstream.host, "unknown")

    def listings(self, person: str = LOCAL) -> list[Listing]:
        """With what only this person has."""
        return [self._listing(name, person) for name in self._listings]

    def _listing(self, name: str, person: str) -> Listing:
        listing = self._listings[name]
        own = self._own(person) if name == self._builtin else ()
        return msgspec.structs.replace(listing, models=(*listing.models, *map(Model, own))) if own else listing

    def names(self, person: str = LOCAL) -> list[str]:
        """Every model that this person can ask now, by its full name; the built-in ones last."""
        found = [(each.name == self._builtin, f"{each.name}/{model.name}") for each in self.listings(person) for model in each.models]
        return [name for _, name in sorted(found, key=lambda pair: pair[0])]

    def default(self, person: str = LOCAL) -> str:
        """The preferred model while it can be asked, else the first one that answers, else the built-in one."""
        names = self.names(person)
        return self._preferred if self._preferred in names or not names else names[0]

    def is_builtin(self, model: str) -> bool:
        """By its full name: one that needs no server."""
        return model.startswith(f"{self._builtin}/")

    def has(self, model: str, person: str = LOCAL) -> bool:
        """A model that can be asked now, by its full name."""
        return model in self.names(person)

    @property
    def alone(self) -> bool:
        """No model server but the built-in one can be asked."""
        return all(map(self.is_builtin, self.names()))

    def prefills(self, upstream: str) -> bool:
        """Its server takes a last message of the assistant as the beginning of its answer, and goes on from there."""
        return upstream in self._prefilling

    def refuses(self, model: str) -> frozenset[str]:
        """The options that the server of a model, by its full name, has no words for."""
        return self._refuses(model.partition("/")[0])

    def resting(self) -> dict[str, bool]:
        """Of each upstream, by its name, whether it is left alone for a while."""
        return {name: getattr(upstream, "resting", False) for name, upstream in self._upstreams.items()}

    def model(self, upstream: str, name: str) -> Model | None:
        """What the server tells of its model, None where it does not list it."""
        return next((known for known in self._listings[upstream].models if known.name == name), None)

    def resolve(self, model: str, person: str = LOCAL) -> tuple[Upstream, str]:
        """The upstream and its own name for a model. Raises UnknownModel, naming the nearest ones.

        A full name is passed on even when the listing lacks it: servers know models they do not list.
        """
        if not model:
            model = self.default(person)
        name, _, rest = model.partition("/")
        if rest and name in self._upstreams and not self._surely_missing(name, rest, person):
            return self._upstreams[name], rest
        owners = [listing.name for listing in self.listings(person) if any(known.name == model for known in listing.models)]
        if len(owners) == 1:
            return self._upstreams[owners[0]], model
        if owners:
            raise UnknownModel(f"More than one upstream has {model!r}: write {' or '.join(f'{owner}/{model}' for owner in owners)}.")
        raise UnknownModel(self._nearest(model, person))

    def _surely_missing(self, upstream: str, model: str, person: str) -> bool:
        """What follows @ and # in the name of a built-in one says how it is played."""
        listing, bare = self._listing(upstream, person), model.partition("@")[0].partition("#")[0]
        return upstream == self._builtin and listing.state == "running" and all(known.name != bare for known in listing.models)

    def _nearest(self, model: str, person: str) -> str:
        names = self.names(person)
        if not names:
            return "No model server is running, and the built-in rehearsal is switched off. Start one, or see settings.toml."
        bare = {name.partition("/")[2]: name for name in names}
        near = [bare[name] for name in difflib.get_close_matches(model, list(bare), n=3, cutoff=0.5)]
        near += [name for name in difflib.get_close_matches(model, names, n=3, cutoff=0.4) if name not in near]
        return f"No model is called {model[:200]!r}. {'Nearest' if near else 'There are'}: {', '.join((near or names)[:5])}."

    async def refresh(self, older_than: float = 0.0, *, patient: bool = False) -> None:
        """Ask every server for its models, unless that was done less than `older_than` seconds ago.

        All at once; one refresh runs at a time. Local ones get little time, because a start waits for them, but as much as
        all others when somebody asks for it (`patient`): a server that was started just now may be slow with its first answer.
        """
        if patient:
            if self._refreshing is not None:
                await asyncio.wait([self._refreshing])
            await self._refresh_all(patient=True)
            return
        if self._asked is not None and time.monotonic() - self._asked < older_than:
            return
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._refresh_all())
        await asyncio.shield(self._refreshing)

    async def keep_fresh(self) -> None:
        """Ask again for ever: local servers come and go, remote ones get new models now and then. Cancel it to end it."""
        rounds = 0
        while True:
            await asyncio.sleep(LOCAL_EVERY)
            rounds += 1
            everybody = rounds % round(REMOTE_EVERY / LOCAL_EVERY) == 0
            if self._refreshing is None or self._refreshing.done():
                self._refreshing = asyncio.get_running_loop().create_task(self._refresh_all(local_only=not everybody))
                await asyncio.wait([self._refreshing])

    async def learn(self, model: str) -> None:
        """Ask for what the list does not tell of a model, by its full name: once, unless the list has changed or nobody answered."""
        name, _, rest = model.partition("/")
        upstream = self._upstreams.get(name)
        told = upstream and self.model(name, rest)
        if not upstream or not told or (name, told) in self._learned or told in self._learned.values():
            return
        if None not in (told.context, told.vision, told.tools, told.reasoning):
            return
        try:
            async with asyncio.timeout(self._remote_patience):
                learned = await upstream.learn(told)
        except (TimeoutError, UpstreamError) as exc:
            log.info("%s tells nothing of %s: %s", name, rest, exc)
            return
        self._learned[name, told] = learned
        if self._upstreams.get(name) is upstream:
            self._list(self._listings[name])

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed()` whenever a server's listing is another one than before. Returns the function that ends this."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    async def _refresh_all(self, *, local_only: bool = False, patient: bool = False) -> None:
        asked = [upstream for name, upstream in self._upstreams.items() if not self._fixed.get(name)]
        if local_only:
            asked = [upstream for upstream in asked if is_local(upstream.host)]
        outcomes = await asyncio.gather(*(self._note(upstream, patient=patient) for upstream in asked), return_exceptions=True)
        for exc in filter(None, outcomes):  # a fault of ours with one server must not take the others away
            log.error("could not ask a server for its models", exc_info=exc)
        if not local_only:
            self._asked = time.monotonic()

    async def _note(self, upstream: Upstream, *, patient: bool) -> None:
        """Known as soon as it has answered: nobody waits for the slowest one."""
        listing = await self._ask(upstream, patient=patient)
        if self._upstreams.get(upstream.name) is upstream:
            self._list(listing)

    def _list(self, listing: Listing) -> None:
        name = listing.name
        listing = msgspec.structs.replace(listing, models=tuple(self._learned.get((name, each), each) for each in listing.models))
        if listing != self._listings[name]:
            self._listings[name] = listing
            for changed in tuple(self._watchers):
                changed()

    async def _ask(self, upstream: Upstream, *, patient: bool) -> Listing:
        patience = self._patience if is_local(upstream.host) and not patient else self._remote_patience
        try:
            async with asyncio.timeout(patience):
                models = await upstream.models()
        except (TimeoutError, Unreachable, TimedOut):
            return Listing(upstream.name, upstream.host, "not running")
        except UpstreamError as exc:
            log.info("%s answers, but not with its models: %s", upstream.name, exc)
            return Listing(upstream.name, upstream.host, "refusing", problem=exc.message)
        return Listing(upstream.name, upstream.host, "running", tuple(models))


def is_local(host: str) -> bool:
    """Whether `host[:port]` is this machine, by its usual names."""
    name = host.rpartition(":")[0] if host.count(":") == 1 else host
    return name in {"localhost", "[::1]", "in this process"} or host.startswith(("127.", "[::1]"))
