"""One self-contained file about a campaign."""

from toughopt.report.build import make_report, write_report
from toughopt.report.methods import methods_paragraph

__all__ = ["make_report", "methods_paragraph", "write_report"]
