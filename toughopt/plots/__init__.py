"""State becomes figures."""

from toughopt.plots.backtests import backtest_figure, save_figure_to
from toughopt.plots.board import Board, overview, read_board, save_figures, single_figures
from toughopt.plots.live import has_display, watch

__all__ = [
    "Board",
    "backtest_figure",
    "has_display",
    "overview",
    "read_board",
    "save_figure_to",
    "save_figures",
    "single_figures",
    "watch",
]
