"""A fleet on a virtual clock: the same loop, with a month in a minute."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.errors import ConfigError
from toughopt.gcode import read_program
from toughopt.journal import Event, Experiment, Stage
from toughopt.loop.simulate import Simulated, Simulation, simulate
from toughopt.virtual.fleet import Mishaps, while_extruding

BUDGET = 14
MORE_PRINTERS = """
[[printers]]
name = "printer-2"
profile = "virtual_small"

[[printers]]
name = "printer-3"
profile = "virtual_small"
"""
CLUMSY = Simulation(
    mishaps=Mishaps(print_stops=0.15, jam=0.1, grab_fails=0.1, lost=0.1, hands_fail=0.05, test_fails=0.1),
    attendance_s=1800.0,
)


def begin(folder: Path, small_text: str, more: str = "") -> Path:
    text = small_text.replace("budget = 5", f"budget = {BUDGET}").replace('"default"', '"random"')
    Campaign.create(folder, text + MORE_PRINTERS + more).close()
    return folder


@pytest.fixture(scope="module")
def clumsy(tmp_path_factory: pytest.TempPathFactory, small_text: str) -> tuple[Path, Simulated]:
    """A campaign of three printers in a lab where much goes wrong."""
    folder = begin(tmp_path_factory.mktemp("fleet") / "clumsy", small_text)
    return folder, simulate(folder, CLUMSY)


def events_of(folder: Path) -> list[Event]:
    with Campaign.open(folder) as campaign:
        return list(campaign.workspace.store.read())


def seconds(experiment: Experiment, stage: str) -> float:
    return datetime.fromisoformat(experiment.times[stage]).timestamp()


def test_every_experiment_ends_complete_or_failed_with_a_reason(clumsy: tuple[Path, Simulated]) -> None:
    folder, result = clumsy
    with Campaign.open(folder) as campaign:
        experiments = campaign.state.experiments.values()
        assert all(e.ended for e in experiments)
        failed = [e for e in experiments if e.stage is Stage.FAILED]
        assert all(e.reason and e.blame == "lab" for e in failed)
        assert len(failed) == result.failed > 0
        assert len(campaign.state.complete) == result.complete
        # each design that the lab failed was made again, or used up its tries
        for e in failed:
            tries = [other for other in experiments if other.root == e.root]
            assert tries[-1].stage is Stage.COMPLETE or len(tries) == 3


def test_one_part_a_bed_one_part_a_press_and_every_part_crushed_once(clumsy: tuple[Path, Simulated]) -> None:
    events = events_of(clumsy[0])
    on_bed: dict[str, int] = {}
    in_press: int | None = None
    crushed: list[int] = []
    for event in events:
        printer = str(event.payload.get("printer", ""))
        match event.kind:
            case "printing":
                assert printer not in on_bed, f"event {event.seq}: a print on a bed that is not clear"
                on_bed[printer] = event.experiment_id or 0
            case "cleared" | "bed_cleared":
                on_bed.pop(printer, None)
            case "crushing":
                assert in_press is None
                in_press = event.experiment_id
                crushed.append(event.experiment_id or 0)
            case "tested":
                assert in_press == event.experiment_id
                in_press = None
            case "uncertain" if event.experiment_id == in_press:
                in_press = None
            case _:
                pass
    assert len(crushed) == len(set(crushed))
    complete = [e.experiment_id for e in events if e.kind == "complete"]
    assert set(complete) <= set(crushed)


def test_printers_work_side_by_side_and_time_is_the_virtual_one(clumsy: tuple[Path, Simulated]) -> None:
    folder, result = clumsy
    with Campaign.open(folder) as campaign:
        done = campaign.state.complete
        assert len({e.printer for e in done}) == 3
        overlapping = [
            (a.id, b.id)
            for a in done
            for b in done
            if a.printer != b.printer and seconds(a, "printing") < seconds(b, "printing") < seconds(a, "printed")
        ]
        assert overlapping
        assert all(seconds(e, "tested") > seconds(e, "printing") + 0.9 * (e.program_time_s or 0.0) for e in done)
    assert result.days > 0 and result.per_day == pytest.approx(result.complete / result.days)
    assert 0 < max(result.utilisation.values()) <= 1.0


def test_a_printer_that_fails_is_looked_after_and_comes_back(tmp_path: Path, small_text: str) -> None:
    folder = begin(tmp_path / "attended", small_text)
    result = simulate(folder, Simulation(mishaps=Mishaps(grab_fails=0.4), attendance_s=600.0), budget=5)
    steered = [e.payload for e in events_of(folder) if e.kind == "steered"]
    assert any(p["value"] is True for p in steered) and any(p["who"] == "attendant" for p in steered)
    assert result.complete + result.failed >= 5


def test_the_same_seed_gives_the_same_campaign_to_the_second(
    tmp_path: Path, small_text: str, clumsy: tuple[Path, Simulated]
) -> None:
    again = begin(tmp_path / "clumsy", small_text)
    assert simulate(again, CLUMSY).best == clumsy[1].best

    def story(folder: Path) -> list[tuple[str, str, int | None]]:
        skipped = ("conductor_started", "conductor_stopped", "campaign_created", "fault")
        return [(e.time_utc, e.kind, e.experiment_id) for e in events_of(folder) if e.kind not in skipped]

    assert story(again) == story(clumsy[0])


def test_a_simulation_goes_on_where_it_was(tmp_path: Path, small_text: str) -> None:
    folder = begin(tmp_path / "resumed", small_text)
    first = simulate(folder, budget=4)
    result = simulate(folder, budget=7)
    assert result.complete == 7
    assert first.per_day == pytest.approx(4 / first.days)
    assert result.per_day == pytest.approx(3 / result.days)
    with Campaign.open(folder) as campaign:
        assert campaign.state.experiments[7].times["proposed"] >= campaign.state.experiments[3].times["tested"]


def test_the_press_is_not_idle_while_parts_wait_for_it(tmp_path: Path, small_text: str) -> None:
    """Five minutes of printing on three printers against one press whose tests take longer in all."""
    slow = small_text.replace("budget = 5", "budget = 16").replace('"default"', '"random"')
    Campaign.create(tmp_path / "busy", slow + MORE_PRINTERS + "\n[test]\nspeed_mm_per_min = 0.5\n").close()
    result = simulate(tmp_path / "busy")
    assert result.bottleneck == "press"
    # all but the first print, before which there is nothing to crush
    lead = 400.0 / (result.days * 86400.0)
    assert result.utilisation["press"] > 0.95 * (1.0 - lead)


def test_what_goes_wrong_in_a_print_does_so_while_it_extrudes() -> None:
    moves = ["G28", "G1 X1 E1", "G1 X2 E2", "G1 X3 E3", *["G1 X1", "G1 X2"] * 50]
    program = read_program("\n".join(["; a remark"] * 50 + moves))
    assert {while_extruding(program, share / 100.0) for share in range(100)} == {1, 2}


def test_a_jam_costs_filament(tmp_path: Path, small_text: str) -> None:
    shares = []
    for seed in (1, 2, 3):
        text = small_text.replace('"default"', '"random"').replace("seed = 1", f"seed = {seed}")
        masses = []
        for name, jam in (("sound", 0.0), ("jams", 1.0)):
            Campaign.create(tmp_path / f"{name}-{seed}", text).close()
            simulate(tmp_path / f"{name}-{seed}", Simulation(mishaps=Mishaps(jam=jam)), budget=1)
            with Campaign.open(tmp_path / f"{name}-{seed}") as campaign:
                masses.append(campaign.state.experiments[1].mass_g or 0.0)
        shares.append(masses[1] / masses[0])
    # when a nozzle jams depends on the program's last digit, and one that jams at the very end costs next to nothing
    assert all(0.0 < share < 1.01 for share in shares) and min(shares) < 0.99, shares


def test_real_machines_cannot_be_simulated(tmp_path: Path, small_text: str) -> None:
    text = small_text + 'url = "socket://localhost:1"\n'
    for device in ("scale", "frame", "handler"):
        text += f'\n[{device}]\nkind = "operator"\n'
    Campaign.create(tmp_path / "real", text).close()
    with pytest.raises(ConfigError, match="names real machines"):
        simulate(tmp_path / "real")


def test_a_virtual_robot_has_the_faults_that_the_campaign_gives_it(tmp_path: Path, small_text: str) -> None:
    text = small_text + '\n[handler]\nkind = "virtual"\nfaults = ["sulks=1.0"]\n'
    with Campaign.create(tmp_path / "robot", text) as campaign, pytest.raises(ConfigError, match="sulks"):
        campaign.run(budget=1)
