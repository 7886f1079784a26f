"""What the door says of models, of what people like to ask, and of the settings that concern them."""

import asyncio
from collections.abc import Callable

from services.doctor.doctor import Doctor
from services.doctor.findings import Finding
from services.doors.preferences import Preferences
from services.doors.replays import Replays
from services.errors import Conflict, Forbidden
from services.events import Usage
from services.models import Listing, Place
from services.prices import Cost, Price, cost
from services.settings import version
from services.setup.places import places
from services.setup.servers import Installed, Servers
from services.upstream.catalogue import Catalogue


class Models(Replays, Preferences):
    """Part of services.chat.Chat, which makes the rooms."""

    _catalogue: Catalogue
    _prices: tuple[Price, ...]
    _installed: Installed | None
    doctor: Doctor | None
    _servers: Servers | None

    @property
    def default_model(self) -> str:
        """What a person has chosen, while it can be asked, before what the settings say."""
        liked = "" if self.fixed_by("chat.model") else self._liked.model
        person = self._who.person
        return liked if self._catalogue.has(liked, person) else self._catalogue.default(person)

    def cost(self, model: str, usage: Usage | None) -> Cost | None:
        """What a reply of this model cost, by the prices of settings."""
        return cost(self._prices, model, usage)

    def refuses(self, model: str) -> frozenset[str]:
        """The options that the server of this model cannot take, by their names in services.messages.Options, as far as is known."""
        return self._catalogue.refuses(model)

    @property
    def servers(self) -> Servers:
        """The model servers as they are set, to be seen, changed and tried out, by admins only.

        Raises Forbidden, and Conflict where nothing is `installed`.
        """
        if not self._who.admin:
            raise Forbidden("Only an admin may see and change the model servers.")
        if self._servers is None:
            raise Conflict("The settings of this process cannot be changed.")
        return self._servers

    def fixed_by(self, setting: str) -> str | None:
        """The variable or flag that has the last word on a setting, for everybody to be told."""
        return self._servers.fixed_by(setting) if self._servers else None

    async def examine(self, origin: str, proxy: str) -> list[Finding]:
        """What stands between clients and here. Raises Invalid, and Forbidden: it asks any address, from this machine."""
        if not self._who.admin:
            raise Forbidden("Only an admin may have an address examined: it is asked from the machine that Headrace runs on.")
        return await self.doctor.examine(origin, proxy) if self.doctor else []

    @property
    def version(self) -> str:
        return version()

    async def places(self) -> list[Place]:
        """Where everything is kept, and how large it is: for admins, as it tells of the machine."""
        if not self._who.admin:
            return []
        return await asyncio.to_thread(places, self._installed.layers) if self._installed else []

    @property
    def alone(self) -> bool:
        """No model server but the built-in rehearsal can be asked."""
        return self._catalogue.alone

    def models(self) -> list[Listing]:
        return self._catalogue.listings(self._who.person)

    async def learn_model(self, model: str) -> None:
        """Ask the server of a model what it can do, where its list does not tell that: once. `watch_models` tells what came of it."""
        await self._catalogue.learn(model)

    async def keep_models_fresh(self) -> None:
        """Ask the servers for their models again and again. Cancel it to end it."""
        await self._catalogue.keep_fresh()

    def watch_models(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed()` whenever models come or go. Returns the function that ends this."""
        return self._catalogue.watch(changed)

    async def refresh_models(self, older_than: float = 0.0, *, patient: bool = False) -> list[Listing]:
        """Ask the servers again, unless they were asked less than so many seconds ago."""
        await self.recorder.look()
        await self._catalogue.refresh(older_than, patient=patient)
        return self._catalogue.listings(self._who.person)
