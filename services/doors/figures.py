"""What the door says of itself, for GET /metrics: what runs, which servers are there, what the journal does."""

from collections import Counter
from collections.abc import Mapping

from services.generations.journal import Journal
from services.generations.registry import Generations
from services.metrics.instruments import Family, gauge
from services.upstream.catalogue import Catalogue


class Figures:
    """Part of services.chat.Chat, which makes the rooms."""

    _generations: Generations
    _catalogue: Catalogue
    _journal: Journal

    def figures(self) -> list[Family]:
        """What is at this moment; what has happened is counted in the House."""
        running = Counter(model.partition("/")[0] for model in self._generations.models_running())
        resting = self._catalogue.resting()
        by_upstream: Mapping[tuple[str, ...], float] = {(name,): float(running[name]) for name in resting}
        up: Mapping[tuple[str, ...], float] = {(each.name,): float(each.state == "running") for each in self._catalogue.listings()}
        return [
            gauge("headrace_generations_running", "Generations that run.", by_upstream, "upstream"),
            gauge("headrace_upstream_up", "1: it has told its models.", up, "upstream"),
            gauge(
                "headrace_upstream_resting",
                "1: it kept failing, and is left alone for a while.",
                {(n,): float(r) for n, r in resting.items()},
                "upstream",
            ),
            gauge("headrace_journal_bytes", "Bytes of all finished logs that are kept.", self._journal.size),
            gauge(
                "headrace_journal_problem",
                "1: nothing can be kept now, and new generations are refused.",
                float(self._journal.problem is not None),
            ),
            *self._journal.figures(),
        ]
