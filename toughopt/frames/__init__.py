"""Load frames, scales and the hands between them, behind three small protocols."""

from __future__ import annotations

from toughopt.frames.base import Handler, LoadFrame, Scale, TestLimits
from toughopt.frames.folder import FolderWatch, Trigger, WatchedFolderFrame
from toughopt.frames.guard import FrameGuard
from toughopt.frames.record import raw_data_text, write_whole
from toughopt.frames.scales import GenericSerialScale, OperatorScale, SartoriusScale

__all__ = [
    "FolderWatch",
    "FrameGuard",
    "GenericSerialScale",
    "Handler",
    "LoadFrame",
    "OperatorScale",
    "SartoriusScale",
    "Scale",
    "TestLimits",
    "Trigger",
    "WatchedFolderFrame",
    "raw_data_text",
    "write_whole",
]
