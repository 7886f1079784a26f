"""Every cell of the matrix: what an official client shows of what a server of any dialect tells."""

import pytest

from services.downstream import WRITERS
from services.upstream import READERS
from services.upstream.rehearsal import scenes
from tests.matrix import losses
from tests.matrix.clients import CLIENTS, SURFACES, expected, shown
from tests.matrix.reading import PLACES, UPSTREAMS, Matrix, Place
from tests.matrix.story import SCENES, SLOW, STREAMED


def names(place: Place) -> str:
    return " - ".join((place.client, place.upstream, place.scene))


@pytest.mark.parametrize("place", [place for place in PLACES if place.scene != "slow"], ids=names)
def test_a_story_arrives(matrix: Matrix, place: Place) -> None:
    wanted = expected(SCENES[place.scene], place.upstream, CLIENTS[place.client])
    sentence = wanted["error"] and wanted["error"][2]
    assert shown(matrix.seen(place), sentence) == wanted


@pytest.mark.parametrize("place", [place for place in PLACES if place.scene == "slow"], ids=names)
def test_who_stops_stops_the_model(matrix: Matrix, place: Place) -> None:
    seen = matrix.seen(place)
    assert len(seen["text"]) > 5
    assert SLOW.startswith(seen["text"])
    assert (seen["finish"], seen["calls"], seen["answer"]) == (None, [], None)
    assert seen["error"] is None or "aborted" in seen["error"]["message"]
    assert seen["closed"], "the connection to the model server is still open"


# The frame: nothing is left out


def test_every_reader_writer_and_scene_has_its_cells() -> None:
    assert set(UPSTREAMS) == set(READERS)
    of_its_own_clients = {"messages", "text", "ollama"}  # formats of /chat for hand-written pages; no SDK reads them
    assert {client.surface for client in CLIENTS.values()} == set(SURFACES) == set(WRITERS) - of_its_own_clients
    elsewhere = {"overloaded", "calls", "separators"}  # another refusal, of another status; two that are hard on decoders: tests/faults
    assert set(STREAMED) == set(scenes.SCENES) - elsewhere
    assert len(PLACES) == len(set(PLACES)) == len(UPSTREAMS) * sum(len(client.scenes) for client in CLIENTS.values())


@pytest.mark.parametrize("loss", [*losses.UPSTREAMS, *losses.CLIENTS], ids=lambda loss: f"{loss.dialect}: {loss.what}")
def test_every_loss_is_one(loss: losses.Loss) -> None:
    """A row of the table that changes no story would promise a loss that no cell holds."""
    stories = [*STREAMED.values(), *(losses.left(story, losses.UPSTREAMS, name) for story in STREAMED.values() for name in UPSTREAMS)]
    assert any(loss.change(story) != story for story in stories)
