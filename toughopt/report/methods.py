"""The paragraph that one pastes into a paper, from what the campaign was and did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toughopt.plots import label, prediction, units_of

if TYPE_CHECKING:
    from toughopt.campaign import CampaignConfig
    from toughopt.journal import State
    from toughopt.loop import Workspace

_SURROGATES = {"default": "a Gaussian process"}
_SEQUENCES = {
    "random": "drawn at random",
    "grid": "taken from a full grid",
    "lhs": "those of a Latin hypercube",
    "sobol": "those of a Sobol sequence",
}


def methods_paragraph(workspace: Workspace, state: State) -> str:
    """What was varied, made, tested and learned from, in the past tense; every figure in it is from the journal."""
    config, recipe = workspace.config, workspace.recipe
    return " ".join(
        sentence
        for sentence in (
            _space(workspace),
            _making(config, recipe.profile, state),
            _testing(config, state),
            _learning(config, state),
            _software(workspace),
        )
        if sentence
    )


def _space(workspace: Workspace) -> str:
    chooser, family = workspace.chooser, workspace.recipe.family
    units = units_of(family)
    limits = []
    for name, dimension in chooser.dimensions.items():
        if "values" in dimension:
            limits.append(f"{name} in {{{', '.join(map(str, dimension['values']))}}}")
        else:
            unit = f" {units[name]}" if units.get(name) else ""
            step = f" in steps of {dimension['step']:g}" if dimension.get("step") else ""
            limits.append(f"{name} from {dimension['low']:g} to {dimension['high']:g}{unit}{step}")
    held = [
        f"{name} = {f'{value:g}' if isinstance(value, int | float) else value} {units.get(name, '')}".rstrip()
        for name, value in family.fixed.items()
    ]
    fixed = f" Held fixed were {_listed(held)}." if held else ""
    return f"Structures of the family {family.name.replace('_', ' ')} were varied in {_listed(limits)}.{fixed}"


def _making(config: CampaignConfig, profile: Any, state: State) -> str:
    printed = [e for e in state.experiments.values() if e.print_s is not None]
    if not printed:
        return ""
    count = len({e.printer for e in printed})
    kind = "a virtual printer" if config.all_virtual else "printer"
    machines = f"{count} printers" if count != 1 else "one printer"
    if config.all_virtual:
        machines = f"{count} virtual printers" if count != 1 else kind
    nozzle, profile_name = profile.nozzle.diameter_mm, config.printers[0].profile
    return (
        f"Specimens were sliced with the {config.slicing.slicer} slicer in layers of "
        f"{profile.slicing.layer_height_mm:g} mm and made by fused filament fabrication on {machines} "
        f"(profile {profile_name}, nozzle {nozzle:g} mm, {profile.filament.material})."
    )


def _testing(config: CampaignConfig, state: State) -> str:
    crushed = sum(e.times.get("tested") is not None for e in state.complete)
    goal = "minimised" if config.objective.goal == "min" else "maximised"
    aim = f"the objective, {label(config.objective.name)}, was to be {goal}{_weighed(config)}."
    by_hand = _told(config, state, crushed)
    if not crushed:
        return f"{by_hand}{aim[0].upper()}{aim[1:]}" if by_hand else ""
    where = "in a virtual press" if config.all_virtual else "in uniaxial compression"
    limit = f"to a force limit of {config.test.force_limit_n:g} N"
    travel = "" if config.test.travel_mm is None else f" or a travel of {config.test.travel_mm:g} mm"
    strong = sum(e.censored for e in state.complete)
    censored = f" {strong} specimens reached the force limit and count as lower bounds." if strong else ""
    which = "Each" if crushed == len(state.complete) else f"{crushed} of {len(state.complete)}"
    verb = "was" if which == "Each" or crushed == 1 else "were"
    return (
        f"{which} {verb} compressed {where} at {config.test.speed_mm_per_min:g} mm/min {limit}{travel}; "
        f"{aim}{censored} {by_hand}"
    ).rstrip()


def _told(config: CampaignConfig, state: State, crushed: int) -> str:
    """What people measured elsewhere: of their machines the journal knows nothing."""
    curves = sum(e.curve is not None for e in state.complete) - crushed
    values = sum(e.curve is None for e in state.complete)
    limit = f", counted up to a force of {config.test.force_limit_n:g} N" if curves else ""
    told = [
        *([f"{curves} as curve{'s' if curves > 1 else ''}{limit}"] if curves else []),
        *([f"{values} as value{'s' if values > 1 else ''}"] if values else []),
    ]
    if not told:
        return ""
    verb = "result was" if curves + values == 1 else "results were"
    return f"{curves + values} {verb} measured elsewhere and told, {_listed(told)} (how, is to be described). "


def _weighed(config: CampaignConfig) -> str:
    """Against what, where there are several objectives."""
    further = [f"{label(o.name)} ({'minimised' if o.goal == 'min' else 'maximised'})" for o in config.objective.against]
    return f", weighed against {_listed(further)} by expected hypervolume improvement" if further else ""


def _learning(config: CampaignConfig, state: State) -> str:
    by_person = sum(e.source == "person" for e in state.experiments.values())
    failed = [e for e in state.experiments.values() if e.stage == "failed"]
    blamed = sum(e.blame == "design" for e in failed)
    people = f" {_designs(by_person)} chosen by a person." if by_person else ""
    lost = (
        f" {len(failed)} experiment{'s' if len(failed) > 1 else ''} failed, {blamed} by fault of the design."
        if failed
        else ""
    )
    return (
        f"{_choosing(config, state)}Of {len(state.experiments)} experiments in all, "
        f"{len(state.complete)} gave a result.{people}{lost}"
    )


def _choosing(config: CampaignConfig, state: State) -> str:
    """How designs were chosen: only what the journal says was done, not what was yet to come."""
    policy = config.optimizer.policy
    chosen = [e for e in state.experiments.values() if e.decision is not None and e.source == "policy"]
    by_model = sum(prediction(state, e) is not None for e in chosen)
    plain = len(chosen) - by_model
    if not chosen:
        return ""
    if policy in _SEQUENCES:
        return f"{_designs(plain)} {_SEQUENCES[policy]} (random seed {config.seed}). "
    if not by_model:
        return f"{_designs(plain)} those of a Latin hypercube (random seed {config.seed}); no model chose any of them. "
    model = _SURROGATES.get(policy, "the policy's model")
    return (
        f"{_designs(plain)} those of a Latin hypercube; {by_model} {'was' if by_model == 1 else 'were'} chosen by "
        f"Bayesian optimization (policy {policy!r}, with {model} fitted to all results; random seed {config.seed}). "
    )


def _designs(count: int) -> str:
    return f"{count} design was" if count == 1 else f"{count} designs were"


def _software(workspace: Workspace) -> str:
    versions = workspace.versions
    named = [f"{name} {versions[name]}" for name in ("toughopt", "python", "numpy", "scipy") if name in versions]
    return f"Software: {', '.join(named)}. Every decision can be derived again from the campaign's log."


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
