"""The closed loop: moves experiments through their states; the Campaign facade; the only conductor."""

from toughopt.loop.conductor import Conductor, RunSummary
from toughopt.loop.facade import Campaign
from toughopt.loop.lab import Lab, open_lab
from toughopt.loop.workspace import Workspace, open_workspace

__all__ = ["Campaign", "Conductor", "Lab", "RunSummary", "Workspace", "open_lab", "open_workspace"]
