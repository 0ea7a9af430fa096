"""Everything that can die does, at random: machines, hands, press, agents, and the lines to the database.

Real agents in processes of their own drive virtual printers in processes of theirs, over a real PostgreSQL. What the
printers executed is compared with what the journal tells.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toughopt import Campaign
from toughopt.errors import DeviceError, RunFailed
from toughopt.journal import Event, Stage, State
from toughopt.loop.simulate import Simulation, simulate
from toughopt.virtual.fleet import Mishaps

pytestmark = [pytest.mark.timeout(1800)]
_CAMPAIGN = """\
name = "chaos"
seed = {seed}
budget = {budget}

[family]
name = "crossed_barrel"
fixed = {{ height = 3.0, platform_thickness = 0.6 }}
parameters.n = {{ high = 8 }}
parameters.r = {{ high = 2.0 }}
parameters.t = {{ high = 1.0 }}

[optimizer]
policy = "random"

[scale]
kind = "operator"
[frame]
kind = "operator"
[handler]
kind = "operator"
[recovery]
uncertain = "discard"
[store]
url = "{url}"
"""
_PRINTER = '\n[[printers]]\nname = "{name}"\nprofile = "virtual_small"\nagent = "{pc}"\n'


@pytest.mark.parametrize(
    ("seed", "budget"),
    [
        pytest.param(1, 5, marks=pytest.mark.full, id="a-few"),
        *(pytest.param(seed, 8, marks=pytest.mark.soak, id=f"soak-{seed}") for seed in range(2, 27)),
    ],
)
def test_whatever_dies_every_experiment_has_its_end(
    seed: int, budget: int, chaos: Callable[[int], Any], postgres_url: str, tmp_path: Path, tally: Callable[..., None]
) -> None:
    broken = chaos(seed)
    text = _CAMPAIGN.format(seed=seed, budget=budget, url=postgres_url)
    text += "".join(_PRINTER.format(name=name, pc=pc) for pc, names in broken.pcs_wanted.items() for name in names)
    Campaign.create(tmp_path / "campaign", text).close()
    stops: list[str] = []
    with broken.at_work(), Campaign.open(tmp_path / "campaign") as campaign:
        while True:
            try:
                campaign.run(lab=broken.lab, on_event=broken.see)
                break
            except (DeviceError, RunFailed) as error:  # nothing is left that works: it waits for somebody
                stops.append(str(error))
                assert len(stops) < 5 * budget, stops[-3:]
                time.sleep(3.0)  # until somebody comes, mends what is broken and begins again
    assert all(machine.wrongs == [] for machine in broken.machines.values())
    with Campaign.open(tmp_path / "campaign") as campaign:
        events, state = list(campaign.workspace.store.read()), campaign.state
        campaign.workspace.store.verify()
    printings = _judge(events, state, budget)
    starts = sum(machine.starts for machine in broken.machines.values())
    assert starts <= printings, "something was printed that the journal does not tell"
    tally(
        experiments=len(state.experiments),
        complete=len(state.complete),
        failed=sum(e.stage is Stage.FAILED for e in state.experiments.values()),
        programs_begun=starts,
        ended_by_itself_and_was_run_again=len(stops),
        agents_killed=sum(pc.kills for pc in broken.pcs),
        lines_cut=broken.done["lines"],
        database_restarts=broken.done["database"],
        printer_faults=broken.done["fault"],
        power_cuts=broken.done["power"],
        press_and_hands_failed=sum(each.failures for each in broken.faulty),
        double=0,
        on_uncleared_beds=0,
    )


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 10))
def test_a_simulated_fleet_in_which_everything_fails_comes_to_its_end(
    seed: int, tmp_path: Path, tally: Callable[..., None]
) -> None:
    """The same loop on a virtual clock: five printers, hands and a press, all of which fail now and then."""
    budget, folder = 25, tmp_path / "fleet"
    text = _CAMPAIGN.format(seed=seed, budget=budget, url="").partition("[scale]")[0]
    text += "".join(_PRINTER.format(name=f"printer-{i}", pc="").partition("agent")[0] for i in range(1, 6))
    Campaign.create(folder, text).close()
    mishaps = Mishaps(print_stops=0.1, jam=0.03, grab_fails=0.05, lost=0.1, hands_fail=0.03, test_fails=0.05)
    result = simulate(folder, Simulation(mishaps=mishaps, attendance_s=1800.0))
    with Campaign.open(folder) as campaign:
        events, state = list(campaign.workspace.store.read()), campaign.state
    printings = _judge(events, state, budget)
    assert len(state.experiments) > budget
    steered = [str(e.payload["key"]) for e in events if e.kind == "steered" and e.payload["who"] == "toughopt"]
    tally(
        experiments=len(state.experiments),
        complete=result.complete,
        failed=result.failed,
        programs_begun=printings,
        uncertain=sum(e.kind == "uncertain" for e in events),
        printers_disabled=sum(key.startswith("disabled:") for key in steered),
        press_not_cleared=steered.count("keep_clear"),
        days_simulated=result.days,
        double=0,
        on_uncleared_beds=0,
    )


def _judge(events: list[Event], state: State, budget: int) -> int:
    """Whether the story is a sound one; how many prints it tells of."""
    experiments = state.experiments.values()
    assert all(e.ended for e in experiments), [(e.id, e.stage) for e in experiments if not e.ended]
    assert all(e.reason for e in experiments if e.stage is Stage.FAILED)
    assert state.counted() == budget
    roots = [e.root for e in state.complete]
    assert len(roots) == len(set(roots)), "counted twice"
    printed: list[int | None] = []
    on_bed: dict[str, int | None] = {}
    for event in events:
        printer = str(event.payload.get("printer", ""))
        match event.kind:
            case "printing":
                assert printer not in on_bed, f"event {event.seq}: a print on a bed that is not clear"
                on_bed[printer] = event.experiment_id
                printed.append(event.experiment_id)
            case "bed_doubted":
                on_bed.setdefault(printer, None)
            case "cleared" | "bed_cleared":
                on_bed.pop(printer, None)
            case _:
                pass
    assert len(printed) == len(set(printed)), "printed twice without saying so"
    crushed = [e.experiment_id for e in events if e.kind == "crushing"]
    assert len(crushed) == len(set(crushed))
    assert {e.id for e in state.complete} <= set(crushed)
    return len(printed)
