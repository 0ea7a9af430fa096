"""A policy that maps the space: each design is the one farthest from all that were tested or are being made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from toughopt.errors import ConfigError
from toughopt.optimizer import Proposal, Surrogate, Task


@dataclass(frozen=True, slots=True)
class Farthest:
    """Keeps no state: the same task gives the same answer, so that `toughopt replay` can derive it again."""

    candidates: int = 256
    name: str = "farthest"

    @property
    def settings(self) -> Mapping[str, Any]:
        """How many designs are compared."""
        return {"candidates": self.candidates}

    @property
    def needs_observations(self) -> bool:
        """False: it looks at designs, not at results."""
        return False

    def propose(self, task: Task) -> Proposal:
        """`task.k` designs, each farthest from those before it."""
        space = task.space
        columns = space.sample(self.candidates, task.rng)
        rows, designs = task.encoder.encode(columns, task.context), space.designs(columns)
        near = [*task.encoder.encode_designs(task.good, task.context), *task.pending]
        chosen: list[dict[str, Any]] = []
        for _ in range(task.k):
            gap = np.full(len(rows), np.inf)
            for point in near:
                gap = np.minimum(gap, np.linalg.norm(rows - point, axis=1))
            best = int(np.argmax(gap))
            chosen.append(designs[best])
            near.append(rows[best])
        unknown = [None] * task.k
        return Proposal(chosen, unknown, unknown, unknown, "the farthest from all designs so far")

    def surrogate(self, task: Task) -> Surrogate | None:
        """None: it has no model."""
        return None


def make(candidates: int = 256) -> Farthest:
    """What the entry point names; settings of campaign.toml arrive as keywords."""
    if candidates < 1:
        raise ConfigError(f"policy 'farthest': candidates = {candidates}, but it must compare at least 1")
    return Farthest(int(candidates))
