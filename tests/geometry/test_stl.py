"""What is wrong with an STL is told in its own terms: the triangles that it says it has, and those that there are."""

from __future__ import annotations

import struct

import pytest

from toughopt.geometry.stl import binary_corners, what_is_wrong

TEXT = b"solid part\n" + b"facet normal 0 0 1\nouter loop\nvertex 0 0 0\nendloop\nendfacet\n" * 3


def binary(count: int, present: int, more: bytes = b"") -> bytes:
    return b"\0" * 80 + struct.pack("<I", count) + b"\0" * (50 * present) + more


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"hello", "it is no STL"),
        (binary(12, 9, b"\0" * 20), "the file ends after 9 of 12 triangles"),
        (binary(12, 0), "the file ends after 0 of 12 triangles"),
        (binary(12, 12, b"abc"), "the file is 3 bytes longer than its 12 triangles"),
        (binary(3_000_000_000, 100), "it is no STL"),
        (binary(0, 0), "there is not one triangle in it"),
        (TEXT, "the file ends after 3 triangles, without the 'endsolid'"),
        (TEXT.replace(b"vertex", b"corner") + b"endsolid\n", "its text says what no STL says"),
    ],
)
def test_what_is_wrong(data: bytes, words: str) -> None:
    assert binary_corners(data) is None
    assert what_is_wrong(data).startswith(words)


def test_a_binary_file_that_is_as_long_as_it_says_is_read() -> None:
    corners = binary_corners(binary(12, 12))
    assert corners is not None and corners.shape == (36, 3)
