"""The paragraph that one pastes into a paper, from what the campaign was and did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toughopt.plots import label

if TYPE_CHECKING:
    from toughopt.campaign import CampaignConfig
    from toughopt.journal import State
    from toughopt.loop import Workspace

_SURROGATES = {"default": "a Gaussian process"}


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
    limits = []
    for name, dimension in chooser.dimensions.items():
        if "values" in dimension:
            limits.append(f"{name} in {{{', '.join(map(str, dimension['values']))}}}")
        else:
            step = f" in steps of {dimension['step']:g}" if dimension.get("step") else ""
            limits.append(f"{name} from {dimension['low']:g} to {dimension['high']:g}{step}")
    return f"Structures of the family {family.name.replace('_', ' ')} were varied in {_listed(limits)}."


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
    tested = [e for e in state.complete if e.curve is not None]
    if not tested:
        return ""
    where = "in a virtual press" if config.all_virtual else "in uniaxial compression"
    goal = "minimised" if config.objective.goal == "min" else "maximised"
    limit = f"to a force limit of {config.test.force_limit_n:g} N"
    travel = "" if config.test.travel_mm is None else f" or a travel of {config.test.travel_mm:g} mm"
    strong = sum(e.censored for e in state.complete)
    censored = f" {strong} specimens reached the force limit and count as lower bounds." if strong else ""
    return (
        f"Each was compressed {where} at {config.test.speed_mm_per_min:g} mm/min {limit}{travel}; the objective, "
        f"{label(config.objective.name)}, was to be {goal}{_weighed(config)}.{censored}"
    )


def _weighed(config: CampaignConfig) -> str:
    """Against what, where there are several objectives."""
    further = [f"{label(o.name)} ({'minimised' if o.goal == 'min' else 'maximised'})" for o in config.objective.against]
    return f", weighed against {_listed(further)} by expected hypervolume improvement" if further else ""


def _learning(config: CampaignConfig, state: State) -> str:
    by_model = sum(e.decision is not None and e.source == "policy" for e in state.experiments.values())
    by_person = sum(e.source == "person" for e in state.experiments.values())
    failed = [e for e in state.experiments.values() if e.stage == "failed"]
    blamed = sum(e.blame == "design" for e in failed)
    model = _SURROGATES.get(config.optimizer.policy, "the policy's model")
    people = f" {by_person} designs were chosen by a person." if by_person else ""
    lost = (
        f" {len(failed)} experiment{'s' if len(failed) > 1 else ''} failed, {blamed} by fault of the design."
        if failed
        else ""
    )
    return (
        f"After {config.optimizer.initial} designs of a Latin hypercube, designs were chosen by Bayesian optimization "
        f"(policy {config.optimizer.policy!r}, with {model} fitted to all results; random seed {config.seed}). "
        f"The policy chose {by_model} designs; of {len(state.experiments)} experiments in all, "
        f"{len(state.complete)} gave a result.{people}{lost}"
    )


def _software(workspace: Workspace) -> str:
    versions = workspace.versions
    named = [f"{name} {versions[name]}" for name in ("toughopt", "python", "numpy", "scipy") if name in versions]
    return f"Software: {', '.join(named)}. Every decision can be derived again from the campaign's log."


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
