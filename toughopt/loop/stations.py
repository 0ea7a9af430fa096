"""Who works on what: at each turn every station is given what it can begin with."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toughopt.loop.bench import Bench
from toughopt.loop.preparing import Preparation
from toughopt.loop.printshop import PrintShop

if TYPE_CHECKING:
    from toughopt.loop.conductor import Conductor

AFTER_THE_TASK, DRAIN, NOW = "after the task in hand", "after the specimens in hand", "now"  # how a loop is paused


@dataclass(slots=True)
class Stations:
    """Preparation, printers and bench of one run of the loop."""

    conductor: Conductor
    elsewhere: Executor | None = None
    preparation: Preparation = field(init=False)
    shop: PrintShop = field(init=False)
    bench: Bench = field(init=False)

    def __post_init__(self) -> None:
        self.preparation = Preparation(self.conductor, self.elsewhere)
        self.shop = PrintShop(self.conductor)
        self.bench = Bench(self.conductor)

    def advance(self, *, starting: bool, finishing: bool) -> None:
        """Begin what can begin: new specimens where `starting`, what is in hand where `finishing`."""
        paused = self.conductor.state.steering.get("paused")
        if starting:
            self.preparation.advance()
        if starting and not paused:
            self.shop.advance()
        if finishing and paused not in (AFTER_THE_TASK, NOW):
            self.bench.advance()

    def able_printers(self) -> list[str]:
        """Printers that nobody, and no series of failures, has disabled."""
        return self.shop.able()

    def free_printers(self) -> list[str]:
        """Able printers without work whose bed is confirmed clear."""
        return self.shop.free()

    def short_of_filament(self) -> list[str]:
        """A line for each free printer that could print what waits, had it the filament."""
        return self.shop.short_of_filament()
