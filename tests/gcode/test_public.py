from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import toughopt.gcode


def test_all_is_what_is_imported() -> None:
    tree = ast.parse(Path(toughopt.gcode.__file__).read_text(encoding="utf-8"))
    imported = {name.name for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert imported == set(toughopt.gcode.__all__)
    assert toughopt.gcode.__all__ == sorted(toughopt.gcode.__all__)


def test_importing_the_room_is_light() -> None:
    heavy = "('scipy', 'matplotlib', 'jinja2', 'manifold3d', 'trimesh')"
    code = f"import sys, toughopt.gcode; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
