"""From designs to the matrix that the models see: parameters, context, features and the simulation prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from toughopt.errors import SpaceError
from toughopt.optimizer.base import Columns, Design, Features, FloatArray, Value
from toughopt.optimizer.observations import Observation
from toughopt.optimizer.parameters import Categorical
from toughopt.optimizer.space import Space
from toughopt.optimizer.transfer import Source, checked_designs, source_mean

_REFERENCE = 1024  # designs that set the scale of the features


class Encoder:
    """Encodes designs as rows: parameters in 0..1, context, features (scaled to 0..1), sources' beliefs, the prior.

    Parameters
    ----------
    space : Space
    features : callable from columns to (n, k), further inputs of the model
    prior : callable from columns to (n,), a guess at the objective that the data may overrule
    sign : -1 where the objective is minimised, so that larger is always better here
    sources : earlier campaigns; each is modelled here, once
    """

    def __init__(
        self,
        space: Space,
        features: Features | None = None,
        prior: Features | None = None,
        sign: float = 1.0,
        sources: Sequence[Source] = (),
    ) -> None:
        self.space = space
        self.sign = sign
        self._features = features
        self._prior = prior
        self._context_width = sum(p.width for p in space.context_parameters)
        self.n_plain = sum(p.width for p in space.parameters) + self._context_width
        self._low = np.zeros(0)
        self._range = np.ones(0)
        self._pool: FloatArray | None = None
        if features is not None:
            reference = self._call(features, "features", self._reference(), 2)
            self._low = reference.min(axis=0)
            self._range = np.ptp(reference, axis=0)
            self._range[self._range <= 0] = 1.0
        bare = self.n_plain + len(self._low)
        self.width = bare + len(sources) + (prior is not None)
        self.bare_columns = tuple(range(bare))  # without what speaks of the objective: earlier campaigns and the prior
        self.prior_column = self.width - 1 if prior is not None else None
        self.source_columns = tuple(range(bare, bare + len(sources)))
        self.sources = tuple(source.record() for source in sources)
        self._source_means: list[Any] = []
        categories = {p.name: p.values for p in space.parameters if isinstance(p, Categorical)}
        for source in sources:
            designs = checked_designs(source, space.names, categories)
            rows = self._bare(space.columns(designs), None)
            self._source_means.append(source_mean(source.name, rows, source.values, sign))

    def encode(self, columns: Columns, contexts: Sequence[Design | None] | Design | None = None) -> FloatArray:
        """(n, width) float: the rows that the models see.

        Parameters
        ----------
        columns : the designs
        contexts : one context for all, or one a design; None where it is not known
        """
        bare = self._bare(columns, contexts)
        parts = [bare, *(mean(bare)[:, None] for mean in self._source_means)]
        if self._prior is not None:
            parts.append(self.sign * self._call(self._prior, "prior", columns, 1)[:, None])
        return np.ascontiguousarray(np.hstack(parts), dtype=float)

    def encode_designs(self, designs: Sequence[Design], context: Design | None = None) -> FloatArray:
        """As `encode`, from a list of designs made, or to be made, in one context."""
        if not designs:
            return np.zeros((0, self.width))
        return self.encode(self.space.columns(designs), context)

    def encode_observations(self, observations: Sequence[Observation]) -> FloatArray:
        """As `encode`, from observations, each with its own context."""
        if not observations:
            return np.zeros((0, self.width))
        return self.encode(self.space.columns([o.design for o in observations]), [o.context for o in observations])

    def pool(self, context: Design | None) -> FloatArray:
        """(size of the pool, width) float; computed once."""
        if self._pool is None:
            self._pool = self.encode(self.space.pool_columns)
        if not self._context_width:
            return self._pool
        pool = self._pool.copy()
        parts = [self._encode_context(p, context, len(pool)) for p in self.space.context_parameters]
        pool[:, self.n_plain - self._context_width : self.n_plain] = np.hstack(parts)
        return pool

    def _bare(self, columns: Columns, contexts: Sequence[Design | None] | Design | None) -> FloatArray:
        """Parameters, context and features."""
        n = len(np.asarray(columns[self.space.names[0]]))
        parts = [p.encode(columns[p.name]) for p in self.space.parameters]
        parts += [self._encode_context(p, contexts, n) for p in self.space.context_parameters]
        if self._features is not None:
            raw = self._call(self._features, "features", columns, 2)
            scaled = (raw - self._low) / self._range
            parts.append(np.where(np.isfinite(scaled), scaled, 0.5))  # a design that is not allowed: in the middle
        return np.ascontiguousarray(np.hstack(parts), dtype=float)

    def _reference(self) -> Columns:
        if self.space.pool is not None:
            return self.space.pool_columns
        return self.space.sample(_REFERENCE, np.random.default_rng(0))

    def _encode_context(self, parameter: Any, contexts: Any, n: int) -> FloatArray:
        if contexts is None or not isinstance(contexts, Sequence):
            contexts = [contexts] * n
        values: list[Value | None] = [None if c is None else c.get(parameter.name) for c in contexts]
        if isinstance(parameter, Categorical):
            return parameter.encode(np.array(values, dtype=object))
        code = np.full((n, 1), 0.5)
        known = np.array([v is not None for v in values])
        if known.any():
            code[known] = parameter.encode(np.array([v for v in values if v is not None], dtype=float))
        return code

    def _call(self, function: Features, what: str, columns: Columns, ndim: int) -> FloatArray:
        n = len(next(iter(columns.values())))
        found = function(columns)
        try:
            answer = np.asarray(found, dtype=float)
        except (TypeError, ValueError) as error:
            raise SpaceError(f"{what} answered with what are no numbers: {error}") from error
        if ndim == 2 and answer.ndim == 1:
            answer = answer[:, None]
        if answer.ndim != ndim or len(answer) != n:
            expected = f"({n}, ...)" if ndim == 2 else f"({n},)"
            raise SpaceError(f"{what} answered with shape {answer.shape} for {n} designs; expected {expected}")
        wrong = ~np.isfinite(answer.reshape(n, -1)).all(axis=1)
        if ndim == 2 and wrong.any():
            wrong &= np.asarray(self.space.allowed(columns), dtype=bool)  # of other designs a family need not know
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            where = {name: np.asarray(column)[at : at + 1].tolist()[0] for name, column in columns.items()}
            reach = "wherever the space allows a design" if ndim == 2 else "for every design within the bounds"
            raise SpaceError(f"{what} answered with a number that is not finite at {where}; it must be finite {reach}")
        return answer
