"""The whole lab: what a printer really executed goes over the scale into the press, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import serial

from toughopt.compression import read_curves
from toughopt.errors import DeviceError, UnknownName
from toughopt.frames import Handler, LoadFrame, Scale, TestLimits
from toughopt.gcode.base import ExecutedPath
from toughopt.gcode.deposit import deposit
from toughopt.virtual import VirtualLab, crush, specimen_seed


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with VirtualLab({"left": "virtual", "right": "virtual"}, tmp_path_factory.mktemp("lab"), seed=11) as made:
        yield made


def program(radius: float, layers: int, comment: str = "") -> list[str]:
    """A tube of one line, 0.5 mm wide and 0.3 mm high."""
    angle = np.linspace(0.0, 2.0 * np.pi, 25)
    x, y = 50.0 + radius * np.cos(angle), 50.0 + radius * np.sin(angle)
    filament = 0.5 * 0.3 * 2.0 * radius * np.sin(np.pi / 24.0) / (np.pi * 1.75**2 / 4.0)
    lines = ["G28", "M109 S210", "G90", "M83"]
    for layer in range(1, layers + 1):
        lines.append(f"G1 X{x[0]:.3f} Y{y[0]:.3f} Z{0.3 * layer:.2f} F6000 ; {comment}".rstrip(" ;"))
        lines += [f"G1 X{a:.3f} Y{b:.3f} E{filament:.5f} F1800" for a, b in zip(x[1:], y[1:], strict=True)]
    return [*lines, "M400", "M104 S0"]


@pytest.fixture
def send(lab) -> Callable[[str, list[str]], None]:
    """Streams lines to a printer, one at a time."""

    def stream(printer: str, lines: list[str]) -> None:
        with serial.serial_for_url(lab.url(printer), baudrate=115200, timeout=10.0) as port:
            for line in lines:
                port.write(f"{line}\n".encode())
                while True:
                    answer = port.readline()
                    assert answer, f"no answer to {line}"
                    if answer.startswith(b"ok"):
                        break

    return stream


def test_a_specimen_goes_all_the_way(lab, send):
    send("left", program(6.0, 20))
    lab.handler.clear_bed("left", "S1")
    path = ExecutedPath.from_npz(lab.executed_path("S1"))
    part = deposit(path)
    assert part.total_volume_mm3 == pytest.approx(2.0 * np.pi * 6.0 * 0.5 * 6.0, rel=0.02)
    lab.handler.to_scale("S1")
    assert lab.scale.weigh(10.0) == pytest.approx(part.mass_g(1.24), abs=0.002)
    lab.handler.to_frame("S1")
    file = lab.frame.crush("S1", TestLimits(), 30.0)
    curve = read_curves(file)[0]
    expected = crush(part, specimen_seed(11, "S1/press"))
    np.testing.assert_allclose(curve.force_n, expected.force_n, atol=1e-3)
    lab.handler.discard("S1")
    assert lab.guard.on_plate is None
    with pytest.raises(DeviceError, match="hold no specimen S1"):
        lab.handler.to_scale("S1")


def test_each_printer_makes_its_own_part(lab, send):
    send("left", program(5.0, 6))
    send("right", program(8.0, 6))
    lab.handler.clear_bed("right", "R")
    lab.handler.clear_bed("left", "L")
    masses = {}
    for specimen in ("L", "R"):
        lab.handler.to_scale(specimen)
        masses[specimen] = lab.scale.weigh(10.0)
    assert masses["R"] / masses["L"] == pytest.approx(8.0 / 5.0, rel=0.02)
    for specimen in ("L", "R"):
        lab.handler.discard(specimen)


def test_a_comment_never_reaches_the_press(lab, send):
    records = []
    for specimen, comment in (("C1", ""), ("C2", "n=12 theta=150 r=1.9 t=1.4")):
        send("left", program(6.0, 6, comment))
        lab.handler.clear_bed("left", specimen)
        records.append(ExecutedPath.from_npz(lab.executed_path(specimen)))
        lab.handler.discard(specimen)
    curves = [crush(deposit(record), 1) for record in records]
    np.testing.assert_array_equal(curves[0].force_n, curves[1].force_n)


def test_two_specimens_never_share_the_plate(lab, send):
    for specimen in ("P1", "P2"):
        send("left", program(6.0, 4))
        lab.handler.clear_bed("left", specimen)
    lab.handler.to_frame("P1")  # and its test fails, so that nobody takes it away
    lab.handler.to_frame("P2")
    assert lab.guard.on_plate == "P2"
    with pytest.raises(DeviceError, match="hold no specimen P1"):
        lab.handler.part("P1")
    lab.handler.discard("P2")


def test_a_part_outlives_the_session_that_took_it_off(lab, send, tmp_path):
    with VirtualLab({}, tmp_path, seed=2) as first:
        send("left", program(6.0, 4))
        record = first.handler._record("S9")
        lab.processes["left"].take(record)
    with VirtualLab({}, tmp_path, seed=2) as second:
        second.handler.to_scale("S9")
        assert second.scale.weigh(10.0) == pytest.approx(2.0 * np.pi * 6.0 * 0.5 * 1.2 * 1.24e-3, rel=0.05)


def test_the_seed_of_a_specimen_depends_on_lab_and_name_only():
    assert specimen_seed(1, "S1") == specimen_seed(1, "S1")
    assert len({specimen_seed(lab, name) for lab in (1, 2) for name in ("S1", "S2")}) == 4


def test_names_that_are_not_there_are_told(lab):
    with pytest.raises(UnknownName, match="did you mean left"):
        lab.url("lefft")
    with pytest.raises(UnknownName, match="virtual printer"):
        lab.handler.clear_bed("middle", "S1")


def test_the_lab_keeps_the_protocols(lab):
    assert isinstance(lab.handler, Handler)
    assert isinstance(lab.scale, Scale)
    assert isinstance(lab.frame, LoadFrame)


def test_nothing_is_left_behind(tmp_path):
    with VirtualLab({"p": "virtual"}, tmp_path) as made:
        process = made.processes["p"]._process
    assert process.poll() is not None
