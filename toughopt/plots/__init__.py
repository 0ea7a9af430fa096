"""State becomes figures."""

from toughopt.plots.backtests import backtest_figure, save_figure_to
from toughopt.plots.board import overview, save_figures, svg
from toughopt.plots.comparison import comparison_figure
from toughopt.plots.courtesy import step_back
from toughopt.plots.gallery import GALLERY, PORTRAITS, draw, draw_portrait, gallery_of, words_of
from toughopt.plots.live import has_display, watch
from toughopt.plots.painter import Painter
from toughopt.plots.progress import prediction
from toughopt.plots.scene import Scene, units_of
from toughopt.plots.style import label, unit_of

__all__ = [
    "GALLERY",
    "PORTRAITS",
    "Painter",
    "Scene",
    "backtest_figure",
    "comparison_figure",
    "draw",
    "draw_portrait",
    "gallery_of",
    "has_display",
    "label",
    "overview",
    "prediction",
    "save_figure_to",
    "save_figures",
    "step_back",
    "svg",
    "unit_of",
    "units_of",
    "watch",
    "words_of",
]
