"""Every scale waits for a stable reading, and none takes a wrong one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import chain, repeat

import pytest

from toughopt.errors import ConfigError, DeviceError, LinkLost
from toughopt.frames import GenericSerialScale, LineSettings, OperatorScale, Range, SartoriusScale, Scale
from toughopt.virtual import VirtualScale
from toughopt.virtual.talk import Instrument


def replies(*lines: str) -> Instrument:
    """An instrument that gives these lines in turn, then the last one for ever."""
    source: Iterator[str] = chain(lines, repeat(lines[-1]))
    lock = threading.Lock()

    def answer(command: bytes) -> bytes:
        with lock:
            return f"{next(source)}\r\n".encode()

    return Instrument(answer, "replies")


def test_sartorius_waits_until_the_unit_is_shown():
    with VirtualScale(seed=1, wobble_readings=5) as pan:
        scale = SartoriusScale(pan.url)
        pan.put(3.3)
        assert scale.weigh(10.0) == pytest.approx(3.3, abs=0.001)
        scale.close()


def test_the_virtual_scale_reads_the_same_for_the_same_seed():
    with VirtualScale() as pan:
        scale = SartoriusScale(pan.url)
        masses = []
        for seed in (5, 6, 5):
            pan.put(2.0, seed)
            masses.append(scale.weigh(10.0))
        scale.close()
    assert masses[0] == masses[2] != masses[1]


def test_a_specimen_that_wobbles_on_times_out_and_says_what_was_read():
    with VirtualScale(wobble_readings=10**6) as pan:
        scale = SartoriusScale(pan.url)
        pan.put(3.3)
        with pytest.raises(DeviceError, match=r"no stable reading within 0\.3 s.*\+"):
            scale.weigh(0.3)
        scale.close()


@pytest.mark.parametrize("trouble", ["Err 54", "High", "Low", "Stat       OVER"])
def test_trouble_on_the_display_is_reported(trouble):
    with VirtualScale() as pan:
        pan.put(3.3)
        pan.break_down(trouble)
        scale = SartoriusScale(pan.url)
        with pytest.raises(DeviceError, match="reports"):
            scale.weigh(5.0)
        scale.close()


@pytest.mark.parametrize(
    ("line", "grams"),
    [
        ("+   3.2995 g  ", 3.2995),
        ("N     +   3.2995 g  ", 3.2995),
        ("+   0.0033 kg ", 3.3),
        ("+   3299.5 mg ", 3.2995),
        ("+   3,2995 g", 3.2995),
        ("G#    +   12.00[5] g", 12.0),
    ],
)
def test_sartorius_formats(line, grams):
    with replies(line) as instrument:
        scale = SartoriusScale(instrument.url)
        assert scale.weigh(5.0) == pytest.approx(grams)
        scale.close()


@pytest.mark.parametrize(("line", "why"), [("-   3.2995 g", "is not between"), ("+   3.2995 oz", "weighs in 'oz'")])
def test_what_is_no_mass_of_a_specimen_is_refused(line, why):
    with replies(line) as instrument:
        scale = SartoriusScale(instrument.url)
        with pytest.raises(DeviceError, match=why):
            scale.weigh(5.0)
        scale.close()


def test_a_generic_scale_waits_for_readings_that_agree():
    with replies("noise", "ST 1.0 g", "ST 2.5 g", "ST 3.299 g", "ST 3.300 g", "ST 3.301 g") as instrument:
        scale = GenericSerialScale(instrument.url, ask="R", steady=3, tolerance_g=0.005)
        assert scale.weigh(10.0) == pytest.approx(3.3, abs=1e-6)
        scale.close()


def test_a_generic_scale_in_another_unit_is_refused():
    with replies("0.1164 oz") as instrument:
        scale = GenericSerialScale(instrument.url, r"(?P<value>\d+\.\d+) (?P<unit>\w+)", ask="R", steady=1)
        with pytest.raises(DeviceError, match="weighs in 'oz'"):
            scale.weigh(5.0)
        scale.close()


def test_a_generic_scale_that_never_settles_says_its_last_readings():
    lines = [f"{value} g" for value in (1.0, 2.0)]
    with replies(*(lines * 5000)) as instrument:
        scale = GenericSerialScale(instrument.url, ask="R")
        with pytest.raises(DeviceError, match="last readings: "):
            scale.weigh(0.3)
        scale.close()


def test_an_expression_without_its_group_is_refused_before_anything_is_opened():
    with pytest.raises(ConfigError, match="'value'"):
        GenericSerialScale("socket://127.0.0.1:1", expression=r"\d+")
    with pytest.raises(ConfigError, match="not a regular expression"):
        GenericSerialScale("socket://127.0.0.1:1", expression="(")


def test_a_port_that_does_not_open_is_named():
    with pytest.raises(LinkLost, match="no-such-port"):
        SartoriusScale("/dev/no-such-port")


def test_a_scale_that_goes_away_is_an_error_not_a_hang():
    pan = VirtualScale()
    scale = GenericSerialScale(pan.url, settings=LineSettings(), ask="?")
    pan.close()
    with pytest.raises(DeviceError):
        scale.weigh(1.0)
    scale.close()


def test_an_operator_is_asked_again_until_the_answer_is_a_mass():
    answers = iter(["three", "9000", "3,31 g"])
    asked = []

    def ask(question: str, timeout_s: float) -> str:
        asked.append(question)
        return next(answers)

    scale = OperatorScale(ask, allowed=Range(0.1, 50.0))
    assert scale.weigh(60.0) == pytest.approx(3.31)
    assert "'three' is no mass" in asked[1]
    assert "between 0.1 and 50 g" in asked[2]


def test_an_operator_who_is_not_there_is_an_error():
    with pytest.raises(DeviceError, match="nobody told the mass"):
        OperatorScale(lambda question, timeout_s: None).weigh(1.0)


def test_every_scale_keeps_the_protocol():
    with VirtualScale() as pan:
        for scale in (
            SartoriusScale(pan.url),
            GenericSerialScale(pan.url),
            OperatorScale(lambda question, timeout_s: None),
        ):
            assert isinstance(scale, Scale)
            scale.close()
