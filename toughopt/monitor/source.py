"""A campaign as it is at this moment: follows the journal, and hands out states that do not change any more."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from toughopt.journal import Event, State
from toughopt.loop import Workspace, open_workspace


@dataclass(frozen=True, slots=True)
class Moment:
    """A campaign after one event.

    state : a copy that nobody changes
    begun : seq of the newest event when it was first looked at
    newest : kind of event -> its newest seq since then
    last_time_utc : when the last event was written
    """

    state: State
    begun: int
    newest: dict[str, int]
    last_time_utc: str

    def stamp(self, kinds: Iterable[str]) -> int:
        """Seq of the newest event of these kinds: changes when what depends on them does."""
        return max((self.newest.get(kind, 0) for kind in kinds), default=0) or self.begun


class Source:
    """Follows one campaign; may be asked from any thread."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError or JournalError where there is no campaign that can be read."""
        self.folder = folder
        self._lock = threading.Lock()
        self._newest: dict[str, int] = {}
        self._last_time = ""
        self.workspace: Workspace = open_workspace(folder)
        self._begun = self.workspace.state.seq
        for event in self.workspace.store.read(after=self._begun - 1, until=self._begun):
            self._last_time = event.time_utc
        self._moment = self._frozen()

    @property
    def name(self) -> str:
        """What the campaign is called."""
        return str(self.workspace.config.name)

    @property
    def moment(self) -> Moment:
        """The campaign as last looked at."""
        return self._moment

    def look(self) -> list[Event]:
        """Take in what is new in the journal; returns it."""
        with self._lock:
            new = self.workspace.take_in()
            for event in new:
                self._remember(event)
            if new:
                self._moment = self._frozen()
            return new

    def events(self, before: int, count: int) -> list[Event]:
        """Up to `count` events up to and including seq `before`, newest first."""
        return list(self.workspace.store.read(after=max(0, before - count), until=before))[::-1]

    def events_of(self, experiment_id: int, most: int = 3000) -> list[Event]:
        """The events of one experiment among the `most` that follow its proposal."""
        e = self.moment.state.experiments[experiment_id]
        found = self.workspace.store.read(after=e.proposed_seq - 1, until=e.proposed_seq + most)
        return [event for event in found if event.experiment_id == experiment_id]

    def close(self) -> None:
        """Let the journal go."""
        with self._lock:
            self.workspace.close()

    def _remember(self, event: Event) -> None:
        self._newest[event.kind] = event.seq
        self._last_time = event.time_utc

    def _frozen(self) -> Moment:
        state = copy.copy(self.workspace.state)
        for field in fields(State):
            setattr(state, field.name, copy.copy(getattr(state, field.name)))
        for e in state.under_way:
            mine = copy.copy(e)
            mine.times, mine.notes = dict(e.times), list(e.notes)
            state.experiments[e.id] = mine
        return Moment(state, self._begun, dict(self._newest), self._last_time)
