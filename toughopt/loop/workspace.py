"""An open campaign folder: its configuration, journal, artifacts, and what follows from them without any machine."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from toughopt._version import __version__
from toughopt.campaign import CampaignConfig, changed_for_life, config_text, parse_config
from toughopt.errors import ConfigError, InputError, JournalError
from toughopt.files import write_whole
from toughopt.journal import Artifacts, Event, Experiment, State, Store, fold, open_sqlite
from toughopt.journal import events as ev
from toughopt.loop.choosing import Chooser
from toughopt.loop.massing import mass_control
from toughopt.loop.measuring import Body, Measurement, check_measuring, measure_file
from toughopt.loop.specimen import Order, Recipe
from toughopt.profiles import load_profile, with_slicing
from toughopt.tomlplace import said_at

if TYPE_CHECKING:
    from toughopt.gcode import Program

_PROGRAMS_KEPT = 8  # in memory, so that what was just sliced is not parsed again
_PACKAGES = ("numpy", "scipy", "scikit-optimize", "scikit-learn", "manifold3d", "trimesh")


@dataclass(slots=False)
class Workspace:
    """A campaign's folder, opened; `state` is kept up to date by `take_in`.

    `text` is the campaign.toml that `config` was read from, which may have been edited since.
    """

    folder: Path
    config: CampaignConfig
    text: str
    store: Store
    state: State = field(default_factory=State)
    _programs: dict[str, Program] = field(default_factory=dict)

    @property
    def artifacts(self) -> Artifacts:
        """The campaign's meshes, programs and curves."""
        return self.store.artifacts(self.folder / "artifacts")

    @cached_property
    def recipes(self) -> dict[str, Recipe]:
        """What turns a design into a program, for each printer. Raises ConfigError, UnknownName."""
        return make_recipes(self.config, self.folder)

    @property
    def recipe(self) -> Recipe:
        """The first printer's recipe."""
        return next(iter(self.recipes.values()))

    @cached_property
    def chooser(self) -> Chooser:
        """What turns observations into designs. Raises ConfigError, UnknownName."""
        return Chooser(self.config, self.recipe.family, self.folder)

    def check(self) -> None:
        """Whether designs can be chosen and curves analysed as configured. Raises ConfigError, UnknownName."""
        self.chooser.check()
        check_measuring(self.config, self.folder)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that are varied."""
        return self.chooser.parameters

    @cached_property
    def versions(self) -> dict[str, str]:
        """Of everything that a decision or a program depends on."""
        found = {name: metadata.version(name) for name in _PACKAGES}
        return {"toughopt": __version__, "python": platform.python_version(), "platform": platform.platform(), **found}

    def take_in(self) -> list[Event]:
        """Fold what is new in the journal into the state; returns it."""
        new = list(self.store.read(after=self.state.seq))
        for event in new:
            self.state.apply(event)
        return new

    def note_changes(self) -> None:
        """Write down that campaign.toml was edited since the journal last saw it.

        What was edited after it was opened here is left to whoever opens it next, and checks it.
        """
        if self.text != self.state.config_toml and self.text == config_text(self.folder / "campaign.toml"):
            self.store.append(ev.CampaignChanged(config_toml=self.text, config=self.config.model_dump(mode="json")))
            self.take_in()

    def budget(self) -> int:
        """Experiments in all: as people said last, in campaign.toml or since."""
        steered = self.state.steering.get("budget")
        edited = self.config.budget != self.state.config.get("budget", self.config.budget)
        return int(self.config.budget if steered is None or edited else steered)

    def stopping_rule(self, now: datetime) -> tuple[str, str] | None:
        """The rule that ends the loop now, and its reason; None to go on."""
        return self.chooser.stopping_rule(self.state, now)

    def choose(self, count: int, printer: str = "") -> list[ev.Proposed]:
        """`count` proposals, each with the decision that made it; for one printer, where each has its own."""
        return self.chooser.choose(self.state, count, printer)

    def keep_program(self, program: Program) -> str:
        """Store a program; returns its hash."""
        digest = self.artifacts.put(program.text.encode())
        while len(self._programs) >= _PROGRAMS_KEPT:
            self._programs.pop(next(iter(self._programs)))
        self._programs[digest] = program
        return digest

    def program(self, digest: str) -> Program:
        """The program of that hash. Raises JournalError where the artifact is missing or changed."""
        from toughopt.gcode import read_program

        return self._programs.get(digest) or read_program(self.artifacts.get(digest).decode())

    def specimen(self, experiment: Experiment) -> str:
        """What the lab calls an experiment's part; one that stands in for another keeps its name."""
        return f"{experiment.root:05d}"

    def body(self, experiment: Experiment) -> Body:
        """The measures of the designed part."""
        if experiment.size_mm is not None:
            x_mm, y_mm, z_mm = experiment.size_mm
        else:
            family = self.recipe.family
            low, high = family.solid(family.complete(experiment.design)).bounds_mm
            x_mm, y_mm, z_mm = (float(b - a) for a, b in zip(low, high, strict=True))
        return Body.of_size(max(x_mm, y_mm), z_mm)

    def order(self, experiment: Experiment, printer: str) -> Order:
        """What is to be prepared for `printer`."""
        recipe, design, proposed = self.recipes[printer], experiment.design, experiment.times["proposed"]
        control = mass_control(self.state, printer, recipe.profile) if self.config.mass_control.enabled else None
        if control is None:
            return Order(recipe, experiment.id, design, proposed)
        target_g = recipe.designed_mass_g(design)
        last = [e.flow for e in self.state.experiments.values() if e.sliced_for == printer]
        return Order(recipe, experiment.id, design, proposed, control.filament_mm(target_g), last[-1] if last else 1.0)

    def prints_alike(self, experiment: Experiment, printer: str) -> bool:
        """Whether `printer` prints the program of a sliced experiment as the one that it was sliced for does."""
        made_for = experiment.sliced_for or next(iter(self.recipes))
        if made_for == printer:
            return True
        if experiment.wanted or self.config.mass_control.enabled or made_for not in self.recipes:
            return False
        return self.recipes[made_for].profile == self.recipes[printer].profile

    def measure(self, experiment: Experiment) -> Measurement:
        """Analyse the curve of a tested experiment. Raises CurveError, ConfigError."""
        digest = experiment.curve or ""
        data, body = self.artifacts.get(digest), self.body(experiment)
        found = measure_file(self.config, data, f"curve of {experiment.id}", mass_g=experiment.mass_g, body=body)
        return replace(found, curve=digest)

    def close(self) -> None:
        """Let the journal go."""
        self.store.close()


def open_workspace(folder: Path) -> Workspace:
    """Open the campaign in `folder`; where only its campaign.toml is there, begin its journal.

    Raises
    ------
    ConfigError
        If campaign.toml is wrong, or changes what a campaign cannot change.
    JournalError
        If the journal is damaged, or is gone and what it told of is still there.
    """
    path = folder / "campaign.toml"
    text = config_text(path)
    config = parse_config(text, str(path))
    journal = folder / "journal.sqlite"
    if config.store.url is None and not journal.exists():
        _refuse_lost_journal(folder)
        return _create(folder, config, text)
    store = _store(config.store.url, journal)
    workspace = Workspace(folder, config, text, store)
    fold(store.read(), workspace.state)
    if workspace.state.seq == 0:
        return _create_in(workspace)
    if config.store.url is not None and workspace.state.config["name"] != config.name:
        workspace.close()
        raise ConfigError(
            f"{path}: [store] url holds the journal of the campaign {workspace.state.config['name']!r}, and this is "
            f"{config.name!r}; give each campaign a database or a schema of its own (url?options=-csearch_path%3DNAME)"
        )
    if workspace.state.config_toml != text:
        changed = changed_for_life(dict(workspace.state.config), config)
        if changed and workspace.state.experiments:  # until something was proposed, everything may change
            workspace.close()
            raise ConfigError(
                f"{path}: [{changed[0]}] cannot change in mid-campaign, because its results would no longer compare; "
                f"start another with `toughopt new`, or put [{changed[0]}] back"
            )
    return workspace


def open_as_known(folder: Path) -> Workspace:
    """The campaign as the journal in `folder` last knew it, whatever campaign.toml says by now.

    Raises
    ------
    JournalError
        If there is no journal, nothing was begun in it, or it is damaged.
    """
    store = open_sqlite(folder / "journal.sqlite")
    state = State()
    fold(store.read(), state)
    if state.seq == 0:
        store.close()
        raise JournalError(f"{store.where} holds no configuration, for nothing was begun")
    return Workspace(folder, CampaignConfig.model_validate(dict(state.config)), state.config_toml, store, state)


def restore_config(folder: Path, url: str | None = None) -> Path:
    """Write campaign.toml again, as its journal last knew it; returns its path.

    url : of a journal in PostgreSQL; None for the one in the folder

    Raises
    ------
    JournalError
        If there is no journal, or it holds no configuration.
    InputError
        If the file cannot be written.
    """
    path, store = folder / "campaign.toml", _store(url, folder / "journal.sqlite")
    try:
        known = [e.payload["config_toml"] for e in store.read() if e.kind in ("campaign_created", "campaign_changed")]
    finally:
        store.close()
    if not known:
        advice = "is the address right?" if url else "remove it and begin anew"
        raise JournalError(f"{store.where} holds no configuration, for nothing was begun; {advice}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, known[-1].encode())
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def _refuse_lost_journal(folder: Path) -> None:
    artifacts = folder / "artifacts"
    if artifacts.is_dir() and any(artifacts.iterdir()):
        raise JournalError(
            f"{folder / 'journal.sqlite'} is not there, though {artifacts} holds what a campaign made: put the journal "
            f"back from a copy; to begin anew, take another folder, or move {artifacts} away"
        )


def _store(url: str | None, journal: Path) -> Store:
    if not url:
        return open_sqlite(journal)
    from toughopt.journal.postgres import open_postgres

    return open_postgres(url)


def _create(folder: Path, config: CampaignConfig, text: str) -> Workspace:
    check_config(config, folder)
    return _create_in(Workspace(folder, config, text, open_sqlite(folder / "journal.sqlite", create=True)))


def _create_in(workspace: Workspace) -> Workspace:
    dump = workspace.config.model_dump(mode="json")
    workspace.store.append(ev.CampaignCreated(config_toml=workspace.text, config=dump, versions=workspace.versions))
    workspace.take_in()
    return workspace


def check_config(config: CampaignConfig, folder: Path) -> None:
    """Whether such a campaign can run in `folder`, before anything is written. Raises ConfigError, UnknownName."""
    Chooser(config, make_recipe(config, folder).family, folder).check()
    check_measuring(config, folder)


def make_recipe(config: CampaignConfig, folder: Path) -> Recipe:
    """What turns a design into a program on the first printer. Raises ConfigError, UnknownName."""
    return next(iter(make_recipes(config, folder).values()))


def make_recipes(config: CampaignConfig, folder: Path) -> dict[str, Recipe]:
    """What turns a design into a program, for each printer. Raises ConfigError, UnknownName."""
    from toughopt.families import available_families, family

    with said_at(folder, "family", "fixed" if config.family.name in available_families() else "name"):
        made = family(config.family.name, **config.family.fixed)
    own = folder / "gcode_templates"
    recipes: dict[str, Recipe] = {}
    of_profile: dict[str, Recipe] = {}
    for index, printer in enumerate(config.printers):
        if printer.profile not in of_profile:
            with said_at(folder, "printers", index, "profile"):
                profile = load_profile(printer.profile, folder / "printers")
            with said_at(folder, "slicing", "overrides"):
                profile = with_slicing(profile, config.slicing.overrides, "[slicing.overrides]")
            profile = with_slicing(profile, {"mode": made.print_mode}, f"how {made.name} is printed:")
            templates = own if own.is_dir() else None
            slicer = config.slicing.slicer
            of_profile[printer.profile] = Recipe(made, profile, slicer, config.name, config.seed, templates)
        recipes[printer.name] = of_profile[printer.profile]
    return recipes
