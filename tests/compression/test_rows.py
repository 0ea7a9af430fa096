from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.compression import rows
from toughopt.compression.numbers import NumberReader

FORMATS = ["{:.4f}", "{:.0f}", "{:.6e}", "{:g}", "{:.3f}"]


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-10, 10), st.floats(0, 1e3)), min_size=1, max_size=30),
    st.sampled_from(FORMATS),
    st.sampled_from([("\t", "."), (";", ","), (",", "."), ("|", ".")]),
    st.booleans(),
)
def test_the_quick_way_and_the_slow_way_agree(values, spec, dialect, quoted):
    separator, decimal = dialect
    quote = '"' if quoted else ""
    lines = [separator.join(quote + spec.format(v).replace(".", decimal) + quote for v in row) for row in values]
    text = "\n".join(lines) + "\n"
    quick = rows._fast(text, separator, 3, decimal)
    slow = rows.Block(3)
    rows._slow(text, 0, len(text), separator, NumberReader(decimal), slow)
    assert quick is not None
    np.testing.assert_array_equal(quick, np.concatenate(slow.parts))


@pytest.mark.parametrize(
    "text",
    ["1,2,3\n1,2\n", "1,2,3\n1,,3\n", "1,2,3\n\n1,2,3\n", "1,2,3\n1,2.5.1,3\n", "1,2,3\n1,2-5,3\n",
     "1,2,3\n1,x,3\n",
     "1,2,3\n1,2 5,3\n", "1,2,3\n1,-,3\n", "1,2,3\n1,2e,3\n", "1,2,3\n1,2e5e1,3\n",
     "1,2,3\n1,2,3", "1,2,3\n1,1e999,3\n"],
)  # fmt: skip
def test_anything_irregular_is_left_to_the_slow_way(text):
    assert rows._fast(text, ",", 3, ".") is None


def test_long_blocks_are_read_in_chunks_and_to_the_last_bit():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(30_000, 3)) * [1.0, 1e3, 1e-3]
    text = "\n".join(",".join(map(repr, row)) for row in values.tolist()) + "\nTotal(s),5.0\n"
    block = rows.read_block(text, 0, ",", 3, NumberReader("."))
    np.testing.assert_array_equal(np.concatenate(block.parts), values)
    assert text[block.end :].startswith("Total")
    assert not block.cut


def test_columns_of_blanks_are_quick_too():
    text = "   1.5   -2  3e1\n 10.25  0   7 \n"
    np.testing.assert_array_equal(rows._fast(text, " ", 3, "."), [[1.5, -2.0, 30.0], [10.25, 0.0, 7.0]])
    assert rows._fast("1 2 3\n1 2\n", " ", 3, ".") is None


def test_a_damaged_row_does_not_end_the_block():
    text = "1,2\n3,4\n5;6\n7,8\n9,x1\n11,12\n"
    block = rows.read_block(text, 0, ",", 2, NumberReader("."))
    assert block.rows == 5
    assert block.skipped + block.ragged == 1
    assert block.damaged == 1


def test_a_row_that_the_file_ends_in_is_cut():
    assert rows.read_block("1,2,3\n4,5", 0, ",", 3, NumberReader(".")).cut
    assert not rows.read_block("1,2,3\n4,5,6\n", 0, ",", 3, NumberReader(".")).cut
