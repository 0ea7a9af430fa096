"""The web page over a campaign's figures, and the operator's controls."""

from toughopt.monitor.access import Access, access_for, is_loopback, new_token
from toughopt.monitor.app import create_app
from toughopt.monitor.serve import serve

__all__ = ["Access", "access_for", "create_app", "is_loopback", "new_token", "serve"]
