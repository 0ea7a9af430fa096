"""What a campaign may know before its first test: mechanics, and earlier campaigns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toughopt.errors import ConfigError, ToughoptError

if TYPE_CHECKING:
    from toughopt.campaign import CampaignConfig
    from toughopt.families import Family
    from toughopt.optimizer import Source

_BARREL = ("n", "theta", "r", "t")


def press_prior(config: CampaignConfig, family: Family) -> Callable[[Mapping[str, Any]], Any]:
    """What the virtual press's mechanics expects of a nominal print, as a mean that the data may overrule.

    Raises
    ------
    ConfigError
        If there is no such expectation for this family and objective.
    """
    from toughopt.virtual import nominal_toughness

    if family.name != "crossed_barrel" or config.objective.name != "toughness_j":
        raise ConfigError(
            f'[optimizer] prior = "press" knows the toughness_j of crossed_barrel only, not '
            f'{config.objective.name} of {family.name}; use prior = "none"'
        )
    given = family.fixed

    def expected(designs: Mapping[str, Any]) -> Any:
        n, theta, r, t = (designs[name] if name in designs else given[name] for name in _BARREL)
        return nominal_toughness(
            n,
            theta,
            r,
            t,
            height_mm=float(given["height"]),
            platform_mm=float(given["platform_thickness"]),
            ring_mm=float(given["barrel_radius"]),
            force_limit_n=config.test.force_limit_n,
        )

    return expected


def earlier_campaigns(folders: Sequence[Path], parameters: Sequence[str], objective: str) -> tuple[Source, ...]:
    """What earlier campaigns measured, each as a source for the model.

    Raises
    ------
    ConfigError
        If one cannot be read, or varied other parameters, or measured something else.
    """
    return tuple(_source(folder, parameters, objective) for folder in folders)


def _source(folder: Path, parameters: Sequence[str], objective: str) -> Source:
    from toughopt.journal import fold, open_sqlite
    from toughopt.optimizer import Source

    where = f"[optimizer] learn_from: {folder}"
    try:
        store = open_sqlite(folder / "journal.sqlite")
        try:
            state = fold(store.read())
        finally:
            store.close()
    except ToughoptError as error:
        raise ConfigError(f"{where} cannot be read: {error}") from error
    measured = state.config.get("objective", {}).get("name")
    if measured != objective:
        raise ConfigError(f"{where} measured {measured}, this campaign measures {objective}")
    told = [e for e in state.complete if not e.excluded]
    lacking = sorted({name for e in told for name in parameters if name not in e.design})
    if lacking or not told:
        reason = f"did not vary {', '.join(lacking)}" if lacking else "has no result"
        raise ConfigError(f"{where} {reason}, so there is nothing to learn from it")
    designs = [{name: e.design[name] for name in parameters} for e in told]
    return Source(str(state.config.get("name", folder.name)), designs, [float(e.value or 0.0) for e in told])
