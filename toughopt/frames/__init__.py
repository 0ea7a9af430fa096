"""Load frames, scales and the hands between them, behind three small protocols.

Nothing here replaces a machine's own interlocks, guards and emergency stop.
"""

from __future__ import annotations

from toughopt.frames.base import Handler, LoadFrame, Scale, TestLimits
from toughopt.frames.command import CommandHandler, CommandTimeout, CommandTrigger, JsonCommand
from toughopt.frames.folder import FolderWatch, Trigger, WatchedFolderFrame
from toughopt.frames.guard import FrameGuard
from toughopt.frames.lines import LineSettings
from toughopt.frames.loadcell import CellSettings, LoadCellFrame, SerialTrigger, SerialTriggerCommands
from toughopt.frames.mark10 import EsmCommands, EsmSettings, Mark10Frame
from toughopt.frames.opening import check_options, open_frame, open_handler, open_scale
from toughopt.frames.operator import OperatorFrame, OperatorHandler
from toughopt.frames.prompts import console_ask
from toughopt.frames.record import raw_data_text, write_whole
from toughopt.frames.scales import GenericSerialScale, OperatorScale, Range, SartoriusScale
from toughopt.frames.vision import CommandEye, Eye, Question, Sight, WatchedHandler

__all__ = [
    "CellSettings",
    "CommandEye",
    "CommandHandler",
    "CommandTimeout",
    "CommandTrigger",
    "EsmCommands",
    "EsmSettings",
    "Eye",
    "FolderWatch",
    "FrameGuard",
    "GenericSerialScale",
    "Handler",
    "JsonCommand",
    "LineSettings",
    "LoadCellFrame",
    "LoadFrame",
    "Mark10Frame",
    "OperatorFrame",
    "OperatorHandler",
    "OperatorScale",
    "Question",
    "Range",
    "SartoriusScale",
    "Scale",
    "SerialTrigger",
    "SerialTriggerCommands",
    "Sight",
    "TestLimits",
    "Trigger",
    "WatchedFolderFrame",
    "WatchedHandler",
    "check_options",
    "console_ask",
    "open_frame",
    "open_handler",
    "open_scale",
    "raw_data_text",
    "write_whole",
]
