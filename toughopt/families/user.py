"""A family from a plain function: what a lab writes to bring its own structure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from toughopt.families.parametric import Fault, ParametricFamily

if TYPE_CHECKING:
    from toughopt.families.base import Parameter
    from toughopt.geometry import Solid

    Columns = Mapping[str, Any]


def family_from_function(
    build: Callable[[Columns], Solid],
    *,
    name: str,
    chosen: Iterable[Parameter],
    settled: Iterable[Parameter] = (),
    features: Mapping[str, Callable[[Columns], Any]] | None = None,
    faults: Callable[[Columns], Iterable[Fault]] | None = None,
    version: str = "1",
) -> type[ParametricFamily]:
    """A family class whose solids `build` makes; name it in the entry-point group `toughopt.families`.

    Parameters
    ----------
    build : from the values of one design, fixed ones included, to a `Solid` standing on z = 0
    name, version : written into every file that is exported
    chosen, settled : what an optimizer chooses, and what keeps its default unless freed
    features : column name -> function of the columns (arrays for chosen parameters, scalars for fixed ones)
    faults : what several parameters together make impossible

    Examples
    --------
    >>> def tube(d):
    ...     outer = Manifold.cylinder(d["height"], d["r"])
    ...     return Solid(outer - Manifold.cylinder(d["height"], d["r"] - d["t"]))
    >>> Tube = family_from_function(
    ...     tube,
    ...     name="tube",
    ...     chosen=[Parameter("r", "real", 5.0, 15.0, unit="mm"), Parameter("t", "real", 0.8, 3.0, unit="mm")],
    ...     settled=[Parameter("height", "real", 5.0, 50.0, default=20.0, unit="mm")],
    ... )

    and in that package's ``pyproject.toml``::

        [project.entry-points."toughopt.families"]
        tube = "my_package:Tube"
    """
    table = dict(features or {})
    rules = faults

    class FunctionFamily(ParametricFamily):
        """A structure that a user's own function makes."""

        def faults(self, columns: Columns) -> Iterable[Fault]:
            """What the user's rule says."""
            return () if rules is None else rules(columns)

        def describe(self, columns: Columns) -> Iterator[Any]:
            """The user's features."""
            return (function(columns) for function in table.values())

        def build(self, values: Columns) -> Solid:
            """What the user's function makes."""
            return build(values)

    FunctionFamily.name = name
    FunctionFamily.version = version
    FunctionFamily.chosen = tuple(chosen)
    FunctionFamily.settled = tuple(settled)
    FunctionFamily.feature_names = tuple(table)
    FunctionFamily.__name__ = FunctionFamily.__qualname__ = name
    FunctionFamily.__module__ = build.__module__  # whose it is, for messages
    FunctionFamily.__doc__ = build.__doc__
    return FunctionFamily
