from __future__ import annotations

import copy
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from toughopt import Campaign, Curve
from toughopt.cli.setup import campaign_text
from toughopt.compression import write_csv
from toughopt.errors import InputError
from toughopt.gcode import read_program
from toughopt.journal import State
from toughopt.plots import Painter, Scene, overview, save_figures, watch
from toughopt.plots.landscape import Slice, slice_figure
from toughopt.plots.learned import choice_of
from toughopt.plots.mass import mass_figure
from toughopt.plots.progress import prediction, progress_figure
from toughopt.plots.specimen import curve_figure, layers_figure


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Six designs made by hand, the last two chosen by the model, one with its curve."""
    folder = tmp_path_factory.mktemp("plots")
    x = np.linspace(0.0, 6.0, 600)
    write_csv(Curve(displacement_mm=x, force_n=np.clip(x - 1.0, 0.0, None) * 80.0), folder / "curve.csv")
    text = campaign_text(name="plots", budget=8).replace("initial = 5", "initial = 4")
    made = Campaign.create(folder / "campaign", text)
    for number in range(6):
        (entry,) = made.suggest()
        if number == 5:
            made.tell(entry["id"], curve=folder / "curve.csv")
        else:
            made.tell(entry["id"], value=float(number))
    return made


def test_the_overview_shows_each_result_and_the_best_so_far(campaign: Campaign) -> None:
    figure = overview(Scene(campaign.workspace, campaign.state))
    progress, curve, parity, shape = figure.axes
    (line,) = (artist for artist in progress.lines if artist.get_label() == "best so far")
    assert np.asarray(line.get_ydata()).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 4.0]
    assert "toughness [J]" in progress.get_ylabel() and "force [N]" in curve.get_ylabel()
    assert any("toughness 1 J" in str(text.get_text()) for text in curve.get_legend().get_texts())
    assert parity.get_title(loc="left").startswith("Predicted")
    assert "Experiment 6" in shape.get_title(loc="left")


def test_all_of_a_batch_that_no_model_chose_is_hollow(tmp_path: Path) -> None:
    with Campaign.create(tmp_path / "c", campaign_text()) as made:
        for entry in made.suggest(3):
            made.tell(entry["id"], value=float(entry["id"]))
        (axes,) = progress_figure(made.state).axes
    faces = np.concatenate([dots.get_facecolor() for dots in axes.collections])
    assert (faces == 1.0).all()


def test_what_stands_in_for_a_choice_of_the_model_is_full(lab_state: State) -> None:
    state = copy.copy(lab_state)
    instead = replace(state.experiments[24], source="retry", decision=None, retry_of=14)
    state.experiments = state.experiments | {24: instead}

    def hollow(state: State) -> int:
        (axes,) = progress_figure(state).axes
        faces = [dots.get_facecolor()[0] for dots in axes.collections for _ in dots.get_offsets()]
        return sum(bool((face == 1.0).all()) for face in faces)

    assert hollow(state) == hollow(lab_state) > 0


def test_only_what_the_toughness_counts_is_shaded(lab_state: State) -> None:
    x = np.linspace(-1.0, 10.0, 1100)
    curve = Curve(displacement_mm=x, force_n=np.where(x > 0.0, 1000.0, 0.0) + 20.0)  # 1 J a millimetre
    tested = replace(lab_state.experiments[1], result={"toughness_j": 5.0, "contact_mm": 0.0})
    (axes,) = curve_figure(tested, curve, "").axes
    (shade,) = axes.collections
    assert shade.get_paths()[0].vertices[:, 0].max() == pytest.approx(5.0, abs=0.15)


def test_a_result_without_a_curve_is_not_called_no_test(lab_state: State) -> None:
    (axes,) = curve_figure(lab_state.experiments[1], None, "").axes
    assert [text.get_text() for text in axes.texts] == ["told as a value, without a curve"]


def test_the_mass_of_a_spiral_is_compared_with_that_of_its_wall(lab_state: State) -> None:
    half = {e.id: (e.mesh_mass_g or 0.0) / 2.0 for e in lab_state.experiments.values()}

    def errors(wall_g: dict[int, float] | None) -> np.ndarray:
        left = mass_figure(lab_state, None, wall_g).axes[0]
        dots = [line for line in left.lines if line.get_linestyle() == "None"]
        return np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in dots])

    assert np.abs(errors(None)).max() < 5.0
    assert errors(half) == pytest.approx(100.0 + 2.0 * errors(None))


def _within(figure: Figure, texts: Iterable[Text]) -> bool:
    """Whether nothing that is written is cut by the edge of the figure."""
    FigureCanvasAgg(figure).draw()
    page = figure.bbox.padded(1.0)
    return all(page.containsx(box.x0) and page.containsx(box.x1) for box in (t.get_window_extent() for t in texts))


def test_with_many_parameters_titles_and_captions_stay_on_the_page() -> None:
    held = {f"a_long_parameter_{number}": 0.123456 for number in range(12)}
    grid = np.linspace(0.0, 1.0, 20)
    values = np.add.outer(grid, grid)
    values[0, 0] = np.nan
    found = Slice("x", "y", grid, grid, values, values, values, held, np.zeros((1, 2)), (0.5, 0.5))
    maps = slice_figure(found, "toughness_j", {"x": "mm"})
    assert maps.axes[0].get_xlabel() == "x [mm]"
    (legend,) = maps.legends
    told = [legend.get_title(), *legend.get_texts()]
    assert [text.get_text() for text in told[1:]] == [
        "the best design", "tested designs", "no design can be made there, or none is allowed",
    ]  # fmt: skip
    assert all(name in told[0].get_text() for name in held) and _within(maps, told)
    program = read_program("M83\n;LAYER_CHANGE\n;Z:0.2\nG1 Z0.2\nG1 X10 Y0 E1\nG1 X10 Y10 E1\n")
    title = "Experiment 1, sliced\n" + " ".join(f"{name}={value}" for name, value in held.items())
    layers = layers_figure(program, title)
    written = layers.axes[0].get_title(loc="left")
    assert written.replace("\n", " ") == title.replace("\n", " ")
    FigureCanvasAgg(layers).draw()
    assert layers.axes[0].get_position().width > 0.95 and _within(layers, [layers.axes[0]._left_title])  # type: ignore[attr-defined]


def test_predictions_are_those_that_the_model_made_when_it_chose(campaign: Campaign) -> None:
    state = campaign.state
    assert prediction(state, state.experiments[1]) is None
    record = state.experiments[6].decision
    assert record is not None
    assert prediction(state, state.experiments[6]) == (record["predicted_mean"][0], record["predicted_std"][0])


@pytest.mark.parametrize(
    ("seen", "awaited", "words"),
    [(1, 1, "saw 1 result; 1 was awaited"), (0, 2, "saw 0 results; 2 were awaited"), (5, 0, "5 results; 0 were")],
)
def test_what_a_decision_saw_is_told_in_singular_and_plural(
    campaign: Campaign, seen: int, awaited: int, words: str
) -> None:
    one = campaign.state.experiments[6]
    unforeseen = {"predicted_mean": [None], "predicted_std": [None]}
    record = {**(one.decision or {}), **unforeseen, "n_observations": seen, "pending": [{}] * awaited}
    told = replace(one, decision=record)
    choice = choice_of(campaign.workspace.chooser, campaign.state, told, "J")
    assert words in " ".join(choice.words)


def test_each_of_several_designs_that_were_chosen_at_once_is_told_its_own_reason(tmp_path: Path) -> None:
    text = campaign_text(name="batch", budget=8).replace("initial = 5", "initial = 4")
    with Campaign.create(tmp_path / "batch", text) as made:
        for _ in range(3):
            (entry,) = made.suggest()
            made.tell(entry["id"], value=10.0 + float(entry["id"]))
        made.suggest(3)
        chooser, state = made.workspace.chooser, made.state
        why = [choice_of(chooser, state, state.experiments[number], "J").words[0] for number in (4, 5, 6)]
        record = dict(state.experiments[4].decision or {})
    assert "initial designs" in why[0] and "initial designs" not in why[1] == why[2]
    assert record.pop("reasons") and record["reason"].startswith("1: ")
    older = replace(state.experiments[4], decision=record)
    assert choice_of(chooser, state, older, "J").words[0] == f"Policy 'default': {record['reason']}."


def test_files_are_written_and_the_same_state_gives_the_same_bytes(campaign: Campaign, tmp_path: Path) -> None:
    first = save_figures(campaign.workspace, tmp_path / "a", formats=("svg",))
    second = save_figures(campaign.workspace, tmp_path / "b", formats=("svg",))
    assert {path.name for path in first} >= {"overview.svg", "best_so_far.svg", "last_curve.svg", "chosen.svg"}
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_campaign_without_results_is_drawn_too(tmp_path: Path) -> None:
    with Campaign.create(tmp_path / "empty", campaign_text()) as empty:
        figure = overview(Scene(empty.workspace, empty.state))
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "no result yet" in words and "no test yet" in words


def test_without_a_display_the_window_says_what_to_do_instead(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(InputError, match="toughopt plot"):
        watch(campaign.folder)


def test_the_painter_draws_what_is_new_and_only_that(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with Campaign.create(folder, campaign_text()) as campaign:
        painter = Painter(folder, (600, 400), look_s=0.01, clock=itertools.count(0.0, 100.0).__next__)
        try:
            first = taken(painter)
            assert first.shape == (400, 600, 4)
            assert painter.take() is None
            (entry,) = campaign.suggest()
            campaign.tell(entry["id"], value=3.0)
            while np.array_equal(taken(painter), first):
                pass  # of the request alone there is nothing to see
            painter.resize(700, 500)
            while taken(painter).shape != (500, 700, 4):
                pass
        finally:
            painter.close()


def taken(painter: Painter) -> np.ndarray:
    """The next picture."""
    deadline = time.monotonic() + 60
    while (picture := painter.take()) is None:
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    return picture


def test_a_watcher_steps_back() -> None:
    words = "import os; from toughopt.plots import step_back; a = os.nice(0); step_back(); print(os.nice(0) - a)"
    if os.name != "posix":
        pytest.skip("niceness is a thing of POSIX")
    found = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert int(found.stdout) > 0
