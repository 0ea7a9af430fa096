"""A logged campaign derived again, and other policies tried on it."""

from toughopt.replay.backtest import Game, Rules, play, play_all
from toughopt.replay.decisions import Difference, Replay, replay
from toughopt.replay.metrics import needed_for, report, top_share
from toughopt.replay.table import Pool, pooled, read_table
from toughopt.replay.worth import Needed, WorthIt, worth_it

__all__ = [
    "Difference",
    "Game",
    "Needed",
    "Pool",
    "Replay",
    "Rules",
    "WorthIt",
    "needed_for",
    "play",
    "play_all",
    "pooled",
    "read_table",
    "replay",
    "report",
    "top_share",
    "worth_it",
]
