"""Whole campaigns on a virtual clock: the loop that runs a lab, with a lab that takes no time."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from toughopt.errors import ConfigError
from toughopt.journal import Event, Stage, State
from toughopt.journal import events as ev
from toughopt.loop.crew import SimulatedCrew
from toughopt.loop.facade import Campaign
from toughopt.loop.lab import Lab
from toughopt.virtual.clock import VirtualClock
from toughopt.virtual.fleet import Mishaps, Occupied, StageTimes, simulated_lab

if TYPE_CHECKING:
    from toughopt.loop.conductor import Conductor
    from toughopt.loop.workspace import Workspace

_ATTENDANT = "attendant"


@dataclass(frozen=True, slots=True)
class Simulation:
    """How a simulated campaign is set up.

    attendance_s : after how long somebody clears and enables a printer that was disabled, or clears the press, s
    spools : printer name -> its filament's true cross-section over the nominal one, where they differ
    """

    times: StageTimes = field(default_factory=StageTimes)
    mishaps: Mishaps = field(default_factory=Mishaps)
    attendance_s: float = 4 * 3600.0
    spools: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came of a simulated campaign.

    complete, failed : experiments of the campaign, in whichever run they ended
    days : virtual time from the first design of this run to its last result
    per_day : results a day, of this run
    print_to_crush_min : median time from the start of a print to the start of its test, minutes
    utilisation : share of that time in which each printer, the hands and the press were in use
    """

    folder: Path
    complete: int
    failed: int
    best: float | None
    days: float
    per_day: float
    print_to_crush_min: float
    utilisation: dict[str, float]

    @property
    def bottleneck(self) -> str:
        """What was in use most."""
        return max(self.utilisation, key=lambda name: self.utilisation[name])


def simulate(
    folder: Path,
    simulation: Simulation | None = None,
    *,
    budget: int | None = None,
    elsewhere: Executor | None = None,
    on_event: Callable[[Event, State], None] = lambda event, state: None,
) -> Simulated:
    """Run or resume the campaign in `folder`, all of whose devices must be virtual, on a virtual clock.

    Parameters
    ----------
    elsewhere : processes that build, slice and run programs; this one where there are none

    Raises
    ------
    ConfigError
        If one of its devices is real.
    CampaignBusy
        If another process conducts it.
    """
    simulation = simulation or Simulation()
    with Campaign.open(folder) as campaign:
        workspace = campaign.workspace
        if not workspace.config.all_virtual:
            raise ConfigError(f"{folder / 'campaign.toml'} names real machines; only a virtual lab can be simulated")
        clock, occupied = VirtualClock(), Occupied()
        state = campaign.state
        if state.experiments:  # a resumed simulation goes on where it was
            latest = max(datetime.fromisoformat(time) for e in state.experiments.values() for time in e.times.values())
            clock.now_s = (latest - clock.epoch).total_seconds()
        begun_s, before = clock.now_s, len(state.complete)
        workspace.store.clock = lambda: clock.utc().isoformat(timespec="microseconds")

        @contextmanager
        def lab(opened: Workspace) -> Iterator[Lab]:
            profiles = {name: recipe.profile for name, recipe in opened.recipes.items()}
            with simulated_lab(
                profiles,
                opened.folder / "lab",
                clock,
                seed=opened.config.seed,
                times=simulation.times,
                mishaps=simulation.mishaps,
                elsewhere=elsewhere,
                occupied=occupied,
                spools=simulation.spools,
            ) as made:
                yield Lab(dict(made.printers), made.scale, made.frame, made.handler, made.hands.record_of, made.guard)

        conductors: list[Conductor] = []

        def watch(event: Event, state: State) -> None:
            if event.kind == "steered" and event.payload["who"] == "toughopt":  # it waits for somebody
                _attend(conductors[0], event.payload["key"], clock, simulation.attendance_s)
            on_event(event, state)

        campaign.run(
            budget,
            on_event=watch,
            on_start=conductors.append,
            lab=lab,
            crew=SimulatedCrew(clock),
            elsewhere=elsewhere,
        )
        return summary(folder, campaign.state, occupied, clock.now_s - begun_s, before)


def begun(folder: Path, text: str) -> int:
    """Begin the campaign of that text in `folder`, where there is none yet; returns its budget. Raises ConfigError."""
    if not (folder / "campaign.toml").exists():
        Campaign.create(folder, text).close()
    with Campaign.open(folder) as campaign:
        return campaign.workspace.budget()


def simulate_one(folder: Path, text: str, simulation: Simulation, budget: int | None) -> Simulated:
    """Begin or resume one campaign of many, all in this process: fit for a worker."""
    begun(folder, text)
    return simulate(folder, simulation, budget=budget)


def summary(folder: Path, state: State, occupied: Occupied, lasted_s: float, before: int = 0) -> Simulated:
    """What `state` and the machines' logs tell of the last `lasted_s` seconds, which began after `before` results."""
    waits = [
        (datetime.fromisoformat(e.times["tested"]) - datetime.fromisoformat(e.times["printing"])).total_seconds()
        for e in state.complete
        if "tested" in e.times and "printing" in e.times
    ]
    days = max(lasted_s, 1.0) / 86400.0
    return Simulated(
        folder=folder,
        complete=len(state.complete),
        failed=sum(e.stage is Stage.FAILED for e in state.experiments.values()),
        best=None if state.best is None else state.best.value,
        days=days,
        per_day=(len(state.complete) - before) / days,
        print_to_crush_min=statistics.median(waits) / 60.0 if waits else 0.0,
        utilisation={name: seconds / max(lasted_s, 1.0) for name, seconds in sorted(occupied.seconds.items())},
    )


def _attend(conductor: Conductor, key: str, clock: VirtualClock, after_s: float) -> None:
    """Somebody comes after a while and looks after a disabled printer, or clears what lies on the press."""
    printer = key.partition(":")[2]

    def back(_: None) -> None:
        if printer in conductor.state.beds:
            conductor.record(ev.BedCleared(printer=printer, by=_ATTENDANT))
        conductor.record(ev.Steered(key=key, value=None, who=_ATTENDANT, why="looked after it"))

    def never(error: Exception) -> None:
        raise error

    conductor.start(f"attendance: {key}", _ATTENDANT, lambda: clock.spend(after_s), back, never)
