"""The log: events, store, artifacts, and the state that is a fold over them.

The store for several PCs is in `toughopt.journal.postgres`, which one PC alone never imports.
"""

from toughopt.journal.artifacts import Artifacts
from toughopt.journal.base import Lock, Store
from toughopt.journal.codec import Event
from toughopt.journal.events import Payload
from toughopt.journal.experiment import NEXT, Experiment, Stage
from toughopt.journal.lock import ConductorLock
from toughopt.journal.sqlite import open_sqlite
from toughopt.journal.state import State, fold
from toughopt.journal.store import SqlStore

__all__ = [
    "NEXT",
    "Artifacts",
    "ConductorLock",
    "Event",
    "Experiment",
    "Lock",
    "Payload",
    "SqlStore",
    "Stage",
    "State",
    "Store",
    "fold",
    "open_sqlite",
]
