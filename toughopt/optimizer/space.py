"""What may be chosen: parameters with bounds and constraints, or a finite pool of designs, or both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from toughopt.errors import DesignError, SpaceError
from toughopt.optimizer.base import BoolArray, Columns, Constraint, Design, FloatArray, Value
from toughopt.optimizer.parameters import Categorical, Parameter, Real, parameter_from_dict

Key = tuple[Value, ...]
_ROUNDS = 12  # of sampling before constraints count as contradictory; each round draws more


class Space:
    """The designs that may be chosen; it does not change once made.

    Parameters
    ----------
    parameters : the parameters; may be left out where `pool` is given, and are then read off the pool
    pool : a finite list of designs, the only ones that may be chosen
    constraints : callables from columns to (n,) bool, True where a design is allowed; all must hold

    Raises
    ------
    SpaceError
        If there is nothing to choose, or two parameters share a name.
    DesignError
        If a member of the pool is outside its parameters.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter] = (),
        *,
        pool: Sequence[Design] | None = None,
        constraints: Iterable[Constraint] = (),
    ) -> None:
        self.constraints = tuple(constraints)
        given = tuple(parameters)
        if pool is not None and not len(pool):
            raise SpaceError("the pool is empty: there is nothing to choose; give at least one design")
        if not given and pool is not None:
            given = tuple(_read_off(name, pool) for name in pool[0])
        names = [p.name for p in given]
        if len(set(names)) != len(names):
            raise SpaceError(f"two parameters share a name: {sorted(n for n in names if names.count(n) > 1)[0]!r}")
        self.parameters = tuple(p for p in given if not p.context)
        self.context_parameters = tuple(p for p in given if p.context)
        if not self.parameters:
            raise SpaceError("the space has no parameter to choose; give at least one that is not a context")
        self.names = tuple(p.name for p in self.parameters)
        self.pool: tuple[dict[str, Value], ...] | None = None
        if pool is not None:
            self.pool = self._allowed_members(pool)

    @classmethod
    def from_dict(
        cls,
        spec: Mapping[str, Mapping[str, Any]],
        *,
        pool: Sequence[Design] | None = None,
        constraints: Iterable[Constraint] = (),
    ) -> Space:
        """A space from name -> ``{"type": "integer" | "real" | "categorical", ...}``.

        A real parameter has low, high and perhaps ``log``; an integer one low, high and perhaps ``step``; a categorical
        one ``values``. ``"context": True`` marks what is observed and not chosen (printer, nozzle, filament lot).

        Examples
        --------
        >>> space = Space.from_dict({"n": {"type": "integer", "low": 6, "high": 12, "step": 2}})
        >>> space.count
        4
        """
        if not isinstance(spec, Mapping):
            raise SpaceError(f"{spec!r} is no dictionary of parameters; give name -> {{'type': ...}}")
        return cls([parameter_from_dict(n, s) for n, s in spec.items()], pool=pool, constraints=constraints)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """As `from_dict` reads it; the pool and the constraints are not in it."""
        return {p.name: p.to_dict() for p in (*self.parameters, *self.context_parameters)}

    def with_constraint(self, constraint: Constraint) -> Space:
        """The same space with one more constraint."""
        return Space(
            (*self.parameters, *self.context_parameters),
            pool=self.pool,
            constraints=(*self.constraints, constraint),
        )

    @cached_property
    def count(self) -> float:
        """How many designs there are before constraints: inf where a parameter is continuous."""
        if self.pool is not None:
            return len(self.pool)
        return math.prod(p.count for p in self.parameters)

    @cached_property
    def _grains(self) -> tuple[float | None, ...]:
        return tuple(
            1e-12 * max(abs(p.low), abs(p.high), 1e-300) if isinstance(p, Real) else None for p in self.parameters
        )

    @cached_property
    def pool_columns(self) -> Columns:
        """The pool as columns; SpaceError where there is none."""
        if self.pool is None:
            raise SpaceError("this space has no pool: sample it instead")
        return self.columns(self.pool)

    @cached_property
    def pool_keys(self) -> tuple[Key, ...]:
        """One key for each member of the pool, in its order."""
        return tuple(self.key(d) for d in self.pool or ())

    def check(self, design: Design) -> dict[str, Value]:
        """The design in plain Python numbers; DesignError where it is not one of this space's parameters.

        Constraints and the pool are not looked at: a person may test, and tell, what would not have been proposed.
        """
        if not isinstance(design, Mapping):
            raise DesignError(f"{design!r} is no design; give a mapping from {', '.join(self.names)} to their values")
        missing = [n for n in self.names if n not in design]
        extra = [n for n in design if n not in self.names]
        if missing or extra:
            what = f"lacks {missing[0]!r}" if missing else f"has {extra[0]!r}, which is no parameter to choose"
            raise DesignError(f"design {dict(design)} {what}; the parameters are {', '.join(self.names)}")
        return {p.name: p.plain(design[p.name]) for p in self.parameters}

    def check_context(self, context: Design | None) -> dict[str, Value] | None:
        """The context in plain Python numbers, or None; DesignError where it is not one of this space's."""
        if context is None:
            return None
        if not isinstance(context, Mapping):
            raise DesignError(f"{context!r} is no context; give a mapping from names to values")
        known = {p.name: p for p in self.context_parameters}
        for name in context:
            if name not in known:
                raise DesignError(f'context {name!r} is not known; declare it with "context": True; known: {[*known]}')
        return {name: known[name].plain(value) for name, value in context.items()}

    def key(self, design: Design) -> Key:
        """Equal for equal designs, whatever their rounding in the twelfth digit of the range."""
        return tuple(
            [
                value if grain is None or isinstance(value, str) else round(value / grain)
                for value, grain in zip([design[n] for n in self.names], self._grains, strict=True)
            ]
        )

    def columns(self, designs: Sequence[Design]) -> dict[str, Any]:
        """Many designs as a mapping from name to (n,) array."""
        return {
            p.name: np.array([d[p.name] for d in designs], dtype=object if isinstance(p, Categorical) else None)
            for p in self.parameters
        }

    def designs(self, columns: Columns) -> list[dict[str, Value]]:
        """Columns back to designs of plain Python numbers."""
        lists = [np.asarray(columns[n]).tolist() for n in self.names]
        return [dict(zip(self.names, row, strict=True)) for row in zip(*lists, strict=True)]

    def allowed(self, columns: Columns) -> BoolArray:
        """(n,) bool: which designs meet every constraint.

        Raises
        ------
        SpaceError
            If a constraint answers with something else than n truth values.
        """
        n = len(np.asarray(columns[self.names[0]]))
        good = np.ones(n, dtype=bool)
        for constraint in self.constraints:
            answer = np.asarray(constraint(columns))
            if answer.shape != (n,):
                raise SpaceError(f"a constraint answered with shape {answer.shape} for {n} designs; it must be ({n},)")
            if answer.dtype.kind != "b":
                answer = _truths(answer)
            good &= answer
        return good

    def from_unit(self, unit: FloatArray) -> dict[str, Any]:
        """(n, number of parameters) in 0..1 to columns; equal volumes are equally likely values."""
        return {p.name: p.from_unit(unit[:, j]) for j, p in enumerate(self.parameters)}

    def to_unit(self, columns: Columns) -> FloatArray:
        """Columns to (n, number of parameters) in 0..1, such that `from_unit` leads back."""
        return np.column_stack([p.to_unit(np.asarray(columns[p.name])) for p in self.parameters])

    def sample(self, n: int, rng: np.random.Generator) -> dict[str, Any]:
        """Up to `n` allowed designs as columns, spread by a scrambled Sobol sequence; at least one.

        Raises
        ------
        SpaceError
            If no allowed design is found in some 10^5 attempts: the constraints contradict each other.
        """
        from scipy.stats import qmc

        found: list[dict[str, Any]] = []
        have = 0
        size = max(64, 1 << (n - 1).bit_length())
        for _ in range(_ROUNDS):
            # a seed, not the generator: scipy spawns from it, and what it spawns is not part of a generator's state
            sampler = qmc.Sobol(len(self.parameters), scramble=True, rng=int(rng.integers(2**63)))
            columns = self.from_unit(sampler.random(size))
            good = self.allowed(columns)
            found.append({name: column[good] for name, column in columns.items()})
            have += int(good.sum())
            if have >= n or (have and len(found) >= _ROUNDS // 2):
                break
            size = min(size * 2, 16384)
        if not have:
            raise SpaceError(
                "no design meets all constraints in many thousand attempts: they contradict each other, or leave "
                "less than 0.01 % of the box; loosen them or give a pool of designs"
            )
        return {name: np.concatenate([f[name] for f in found])[:n] for name in self.names}

    def grid(self, n: int) -> list[dict[str, Value]]:
        """All allowed designs of a full factorial grid with at least `n` points where the space has so many."""
        if self.pool is not None:
            return list(self.pool)
        per = max(2, math.ceil(n ** (1 / len(self.parameters))))
        levels = [p.levels(per) for p in self.parameters]
        mesh = np.meshgrid(*[np.arange(len(v)) for v in levels], indexing="ij")
        columns = {
            name: np.array(values, dtype=object if isinstance(p, Categorical) else None)[index.ravel()]
            for name, p, values, index in zip(self.names, self.parameters, levels, mesh, strict=True)
        }
        good = self.allowed(columns)
        return self.designs({name: column[good] for name, column in columns.items()})

    def _allowed_members(self, pool: Sequence[Design]) -> tuple[dict[str, Value], ...]:
        members: dict[Key, dict[str, Value]] = {}
        for design in pool:
            plain = self.check(design)
            members.setdefault(self.key(plain), plain)
        kept = list(members.values())
        good = self.allowed(self.columns(kept))
        if not good.any():
            raise SpaceError(f"none of the {len(kept)} designs of the pool meets the constraints; loosen them")
        return tuple(d for d, ok in zip(kept, good, strict=True) if ok)


def _truths(answer: Any) -> BoolArray:
    """Truth values that came as objects, or as 0 and 1; of other numbers and words nobody knows what they allow."""
    whole = answer.dtype.kind in "iufO" and all(isinstance(v, int | float | np.generic) and v in (0, 1) for v in answer)
    if not whole:
        first = answer[:1].tolist()[0]
        raise SpaceError(f"a constraint answered with {first!r} instead of True or False; compare, such as x > 0.5")
    truths: BoolArray = answer.astype(bool)
    return truths


def _read_off(name: str, pool: Sequence[Design]) -> Parameter:
    try:
        values = [d[name] for d in pool]
    except KeyError as error:
        raise SpaceError(f"a design of the pool lacks {name!r}; every design needs the same parameters") from error
    plain = [v.item() if isinstance(v, np.generic) else v for v in values]
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in plain):
        numbers = [float(v) for v in plain]
        if not all(math.isfinite(v) for v in numbers):
            raise SpaceError(f"{name}: a design of the pool has a value that is not finite")
        return _PoolNumber(name, min(numbers), max(numbers))
    return Categorical(name, tuple(dict.fromkeys(plain)))


class _PoolNumber(Real):
    """A numeric parameter read off a pool: whole numbers stay whole."""

    def plain(self, value: Any) -> Value:
        number = super().plain(value)
        return int(value) if isinstance(value, int | np.integer) else number
