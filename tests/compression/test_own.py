from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from toughopt.compression import Curve, analyze, read_curves, write_csv

FINITE = st.floats(-1e6, 1e6, allow_nan=False)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(hnp.arrays(np.float64, st.integers(10, 40), elements=FINITE), st.booleans())
def test_what_is_written_is_read_back_to_the_last_bit(tmp_path_factory, force, with_time):
    force = np.abs(force) + np.linspace(0, 1e6, force.size)  # a loading: no change of sign
    x = np.arange(force.size) * 0.1 + 1e-9
    curve = Curve(x, force, x * 7 if with_time else None, "part: 7", metadata={"printer": "a, b"})
    back = read_curves(write_csv(curve, tmp_path_factory.mktemp("own") / "a.csv"))[0]
    np.testing.assert_array_equal(back.displacement_mm, x)
    np.testing.assert_array_equal(back.force_n, force)
    assert (back.time_s is not None) == with_time
    assert (back.specimen, back.metadata) == ("part: 7", {"printer": "a, b"})


@pytest.mark.parametrize("share", [0.5, 0.8, 0.99])
def test_a_missing_end_is_noticed_wherever_it_was_cut(crushed, tmp_path, share):
    data = write_csv(crushed, tmp_path / "a.csv").read_bytes()
    for cut in (data[: int(share * len(data))], data[: data.rfind(b"\n", 0, int(share * len(data))) + 1]):
        result = analyze(read_curves(cut)[0])
        assert result.verdict == "rejected"
        assert any(finding.code == "TRUNCATED" for finding in result.findings)


def test_nothing_but_the_finished_file_is_left(crushed, tmp_path):
    write_csv(crushed, tmp_path / "a.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
