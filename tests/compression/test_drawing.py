from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from toughopt.compression import Curve, figure
from toughopt.errors import CurveError


def labels(drawn) -> list[str]:
    return [text.get_text() for text in drawn.axes[0].get_legend().get_texts()]


def test_one_curve_shows_all_that_was_found(crushed, tmp_path):
    drawn = figure(crushed, height_mm=20.0, area_mm2=100.0)
    shown = " ".join(labels(drawn))
    for word in ("toughness", "contact", "yield", "densification", "plateau"):
        assert word in shown
    drawn.savefig(tmp_path / "a.png", dpi=50)
    legend = drawn.axes[0].get_legend().get_window_extent()
    assert legend.y1 < drawn.axes[0].get_window_extent().y0 and legend.y0 >= 0.0  # below the area that counts
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_replicates_have_a_mean_and_a_band(crushed):
    several = [Curve(crushed.displacement_mm, k * crushed.force_n, specimen=f"r{k}") for k in (0.9, 1.0, 1.1)]
    drawn = figure(several, replicates=True)
    assert {"mean", "mean ± std"} <= set(labels(drawn))
    assert drawn.axes[0].get_title() == "3 replicates"
    mean = next(line for line in drawn.axes[0].lines if line.get_label() == "mean")
    assert np.max(mean.get_ydata()) == pytest.approx(3000.0, rel=0.02)


def test_different_curves_are_laid_over_each_other_by_name_without_a_mean(crushed):
    several = [Curve(crushed.displacement_mm, k * crushed.force_n) for k in (1.0, 3.0)]
    drawn = figure(several, names=["thin", "thick"])
    assert [label.split(":")[0] for label in labels(drawn)] == ["thin", "thick"]
    assert not drawn.axes[0].collections
    assert drawn.axes[0].get_title() == "2 curves"
    with pytest.raises(CurveError, match="1 names for 2 curves"):
        figure(several, names=["thin"])


@pytest.mark.parametrize(("second", "band"), [("7", True), ("8", False)])
def test_curves_that_tell_the_same_experiment_are_replicates(crushed, second, band):
    several = [Curve(crushed.displacement_mm, crushed.force_n, metadata={"Experiment": n}) for n in ("7", second)]
    assert ("mean" in labels(figure(several))) is band
    assert "mean" not in labels(figure(several, replicates=False))


def test_more_curves_than_colours_differ_by_their_strokes(crushed):
    drawn = figure([Curve(crushed.displacement_mm, crushed.force_n) for _ in range(10)])
    strokes = {(line.get_color(), line.get_linestyle()) for line in drawn.axes[0].lines}
    assert len(strokes) == 10


def test_a_rejected_curve_is_drawn_with_the_reason():
    line = np.linspace(0.0, 5.0, 200)
    drawn = figure(Curve(line, 0 * line))
    assert any("NO_CONTACT" in text.get_text() for text in drawn.axes[0].texts)


def test_no_curve_is_an_error():
    with pytest.raises(CurveError, match="no curve"):
        figure([])


def test_matplotlib_and_scipy_are_not_imported_before_they_are_needed():
    code = "import sys, toughopt.compression; print('matplotlib' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
