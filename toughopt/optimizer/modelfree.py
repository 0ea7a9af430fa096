"""Policies without a model: they choose the same designs whatever was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toughopt.optimizer.base import Proposal, Surrogate, Task
from toughopt.optimizer.designs import sequence

_REASONS = {
    "random": "drawn at random",
    "grid": "the next of a full factorial grid",
    "lhs": "the next of a sequence of Latin hypercubes",
    "sobol": "the next of a scrambled Sobol sequence",
}


@dataclass(frozen=True, slots=True)
class SequencePolicy:
    """Random, grid, Latin hypercube or Sobol."""

    name: str
    retest: bool = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """``retest``: whether a tested design may be proposed again."""
        return {"retest": self.retest}

    @property
    def needs_observations(self) -> bool:
        """False."""
        return False

    def propose(self, task: Task) -> Proposal:
        """The next designs of the sequence that are neither pending nor, unless retests are wanted, tested."""
        seed = int(task.rng.integers(2**63)) if self.name == "random" else task.seed
        designs = sequence(task.space, self.name, task.made, task.k, seed, task.taken)
        unknown = [None] * task.k
        return Proposal(designs, unknown, unknown, unknown, _REASONS[self.name])

    def surrogate(self, task: Task) -> Surrogate | None:
        """None."""
        return None
