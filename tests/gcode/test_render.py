from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from toughopt.errors import ProgramError
from toughopt.gcode import Program, deposit, picture, read_program, render, taken_at_its_word, thumbnail
from toughopt.slicing.base import Toolpaths

Make = Callable[..., Toolpaths]
Write = Callable[..., Program]


def share_of_colour(data: bytes, colour: str) -> float:
    image = imread(io.BytesIO(data))[:, :, :3]
    wanted = np.array([int(colour[index : index + 2], 16) for index in (1, 3, 5)]) / 255
    return float(np.mean(np.all(np.abs(image - wanted) < 0.02, axis=2)))


def test_a_program_is_drawn_by_kind_of_line(tube: Make, write: Write, tmp_path: Path) -> None:
    file = tmp_path / "layers.png"
    render(write(tube(skirt=True)), file, panels=2, width_px=600)
    data = file.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert share_of_colour(data, "#ff9f43") > 0.005
    assert share_of_colour(data, "#06d6a0") > 0.005  # the skirt
    assert list(tmp_path.iterdir()) == [file]


def test_a_deposit_is_drawn_without_what_was_left_out(tube: Make, write: Write) -> None:
    toolpaths = tube(skirt=True)
    laid = deposit(taken_at_its_word(write(toolpaths), toolpaths.profile))
    assert share_of_colour(picture(laid, panels=4, width_px=600), "#14181f") > 0.3
    assert picture(laid, panels=4, width_px=600) == picture(laid, panels=4, width_px=600)


def test_a_program_of_another_slicer_is_drawn() -> None:
    program = read_program("M83\nG1 Z0.2\nG1 X10 Y0 E1\nG1 X10 Y10 E1\nG1 Z0.4\nG1 X0 Y10 E1\n")
    assert picture(program, width_px=400).startswith(b"\x89PNG")


def test_the_kinds_of_line_that_are_seen_are_explained_along_the_foot() -> None:
    head = "M83\n;LAYER_CHANGE\n;Z:0.2\nG1 Z0.2\n;TYPE:External perimeter\nG1 X10 Y0 E1\n"
    both = picture(read_program(head + ";TYPE:Gap fill\nG1 X10 Y10 E1\n"), width_px=400)
    rows, columns = 18, 400  # within the strip at the foot, where no line of the part is drawn

    def colours(data: bytes) -> tuple[bool, bool]:
        foot = (imread(io.BytesIO(data))[-rows:, :columns, :3] * 255).round()
        found = [np.all(np.abs(foot - np.array(colour)) < 6, axis=2).any() for colour in ([255, 159, 67], [245] * 3)]
        return bool(found[0]), bool(found[1])

    assert colours(both) == (True, True)
    assert colours(picture(read_program(head + "G1 X10 Y10 E1\n"), width_px=400)) == (True, False)


def test_nothing_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="no extrusion"):
        render(read_program("G28\nG1 X1\n"), tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tube: Make, write: Write, tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="cannot write"):
        render(write(tube()), tmp_path / "missing" / "x.png", panels=1, width_px=200)


def test_a_thumbnail_goes_into_the_program(tube: Make, write: Write) -> None:
    data = thumbnail(tube(), (160, 120))
    assert imread(io.BytesIO(data)).shape[:2] == (120, 160)
    text = write(tube(), thumbnail=data).text
    assert "; thumbnail begin 160x120 " in text
    assert text.index("; thumbnail end") < text.index(";LAYER_CHANGE")
