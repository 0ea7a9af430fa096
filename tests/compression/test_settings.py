from __future__ import annotations

import pytest

from toughopt.compression import AnalysisSettings
from toughopt.errors import CurveError


@pytest.mark.parametrize(
    ("name", "value"),
    [("contact_force_n", 0), ("break_drop", 1.0), ("compliance_mm_per_n", -1e-5), ("force_limit_n", -5000),
     ("end", "strain"),
     ("compliance_curve", ((0.0, 0.0), (0.0, 1.0)))],
)  # fmt: skip
def test_impossible_settings_are_refused_by_name(name, value):
    with pytest.raises(CurveError, match=name if name != "end" else "end_value"):
        AnalysisSettings(**{name: value})
