"""What the package offers is what it says it offers."""

from __future__ import annotations

import pytest

import toughopt.frames
import toughopt.virtual


@pytest.mark.parametrize("room", [toughopt.virtual, toughopt.frames], ids=["virtual", "frames"])
def test_every_public_name_is_there(room):
    assert room.__all__ == sorted(room.__all__, key=str) or set(room.__all__)
    for name in room.__all__:
        assert getattr(room, name) is not None


def test_a_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'VirtualPres'"):
        _ = toughopt.virtual.VirtualPres
