"""Lines as they go over the wire."""

from __future__ import annotations

from functools import reduce
from operator import xor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.errors import ProgramError
from toughopt.printing.lines import MAX_LINE, clean, encode

BODIES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=300)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(number=st.integers(0, 10**8), body=BODIES)
def test_the_checksum_is_the_xor_of_every_byte_before_the_asterisk(number, body):
    line = encode(number, body.encode())
    before, _, given_sum = line.rpartition(b"*")
    assert line.endswith(b"\n")
    assert before == f"N{number} {body}".encode()
    assert int(given_sum) == reduce(xor, before)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(raw=st.text(max_size=200))
def test_what_is_sent_can_be_read_by_firmware(raw):
    try:
        body = clean(raw, "here")
    except ProgramError:
        return
    assert body == "" or (body.isascii() and body.isprintable())
    assert not set(body) & set(";\\\n\r")
    assert len(encode(99_999_999, body.encode())) - 1 <= MAX_LINE


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        ("G1 X1 Y2 ; a comment", "G1 X1 Y2"),
        ("  G1 X1\r\n", "G1 X1"),
        ("; only a comment", ""),
        ("", ""),
        ("%", ""),
        ("g1 x1", "G1 X1"),
        ("N12 G1 X1*99", "G1 X1"),
        ("G1 (to the corner) X1", "G1  X1"),
        ("M117 Grüße *\\", "M117 Gr??e ??"),
        ("m117 Layer 3", "M117 Layer 3"),
        ("M104 S200", "M104 S200"),
        ("M28 file.gco", "M28 file.gco"),
    ],
)
def test_cleaning(raw, sent):
    assert clean(raw, "here") == sent


def test_a_message_that_is_too_long_is_cut_and_a_command_refused():
    assert len(clean("M117 " + "x" * 200, "here")) == MAX_LINE - 15
    with pytest.raises(ProgramError, match=r"part.gcode, line 3: .*205 characters long"):
        clean("G1 X" + "1" * 201, "part.gcode, line 3")
