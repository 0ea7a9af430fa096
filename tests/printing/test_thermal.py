"""The host's own eye on temperatures."""

from __future__ import annotations

from toughopt.printing.replies import heaters
from toughopt.printing.thermal import Thermometer
from toughopt.profiles import Limits


def hear(thermometer, line, now):
    return thermometer.hear(heaters(line), now)


def test_too_hot_or_set_too_high():
    thermometer = Thermometer(Limits(max_nozzle_c=260, max_bed_c=110), 0.0)
    assert hear(thermometer, "T:250 /255 B:100 /110", 1.0) is None
    assert "limit" in hear(thermometer, "T:280 /255", 2.0)
    assert "by somebody else" in hear(thermometer, "T:250 /265", 3.0)
    assert "heater B" in hear(thermometer, "T:20 /0 B:130 /100", 4.0)


def test_astray_from_a_target_that_had_been_reached():
    thermometer = Thermometer(Limits(), 0.0)
    assert hear(thermometer, "T:100 /210", 0.0) is None  # heating
    assert hear(thermometer, "T:209 /210", 60.0) is None
    assert hear(thermometer, "T:180 /210", 61.0) is None  # perhaps a glitch
    assert hear(thermometer, "T:209 /210", 62.0) is None
    assert hear(thermometer, "T:180 /210", 63.0) is None
    assert "left its target" in hear(thermometer, "T:150 /210", 80.0)


def test_a_new_target_has_to_be_reached_first():
    thermometer = Thermometer(Limits(), 0.0)
    hear(thermometer, "T:210 /210", 0.0)
    assert hear(thermometer, "T:210 /250", 1.0) is None
    assert hear(thermometer, "T:215 /250", 100.0) is None
    assert hear(thermometer, "T:215 /0", 101.0) is None
