"""Every room says what is public, and all of it is there."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import pytest

import toughopt

ROOMS = sorted(module.name for module in pkgutil.iter_modules(toughopt.__path__) if module.ispkg)
WITHOUT = {"cli"}  # commands are named in a table of their own
EXTRAS = {"agents": "procrastinate"}  # what a room needs beyond what the tests install


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in WITHOUT])
def test_the_names_in_all_are_there_and_no_name_is_said_twice(room: str) -> None:
    if room in EXTRAS:
        pytest.importorskip(EXTRAS[room])
    module = import_module(f"toughopt.{room}")
    names = module.__all__
    assert names and len(set(names)) == len(names)
    missing = [name for name in names if not hasattr(module, name)]
    assert not missing
