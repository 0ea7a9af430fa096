"""A logged campaign derived again, and other policies tried on it."""

from toughopt.replay.backtest import Game, Rules, play, play_all
from toughopt.replay.decisions import Difference, Replay, replay
from toughopt.replay.earlier import Earlier, experiments_of, fitting, own_export, roles_of, take_over
from toughopt.replay.emulator import Validation, emulated
from toughopt.replay.metrics import needed_for, paired, report, top_share
from toughopt.replay.moments import results_one_by_one, state_at
from toughopt.replay.sheet import read_sheet
from toughopt.replay.table import Pool, pooled, read_table
from toughopt.replay.worth import Needed, WorthIt, worth_it

__all__ = [
    "Difference",
    "Earlier",
    "Game",
    "Needed",
    "Pool",
    "Replay",
    "Rules",
    "Validation",
    "WorthIt",
    "emulated",
    "experiments_of",
    "fitting",
    "needed_for",
    "own_export",
    "paired",
    "play",
    "play_all",
    "pooled",
    "read_sheet",
    "read_table",
    "replay",
    "report",
    "results_one_by_one",
    "roles_of",
    "state_at",
    "take_over",
    "top_share",
    "worth_it",
]
