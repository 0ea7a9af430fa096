"""The log: events, store, artifacts, and the state that is a fold over them."""

from toughopt.journal.artifacts import Artifacts
from toughopt.journal.base import Store
from toughopt.journal.events import Event, Payload
from toughopt.journal.lock import ConductorLock
from toughopt.journal.state import Experiment, Stage, State, fold
from toughopt.journal.store import SqlStore, open_postgres, open_sqlite

__all__ = [
    "Artifacts",
    "ConductorLock",
    "Event",
    "Experiment",
    "Payload",
    "SqlStore",
    "Stage",
    "State",
    "Store",
    "fold",
    "open_postgres",
    "open_sqlite",
]
