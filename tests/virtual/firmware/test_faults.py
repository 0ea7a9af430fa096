from __future__ import annotations

import re

import pytest

from toughopt.errors import InputError, UnknownName
from toughopt.virtual.firmware import Fault, FaultKind, FaultPlan
from toughopt.virtual.firmware.faults import FaultSchedule
from toughopt.virtual.firmware.wire import OneWay


def test_faults_are_written_as_name_and_keys():
    assert Fault.parse("jam") == Fault(FaultKind.JAM)
    assert Fault.parse("garble_in=1e-3") == Fault(FaultKind.GARBLE_IN, rate=1e-3)
    assert Fault.parse("layer_shift=z:5,amount:2,axis:y") == Fault(FaultKind.LAYER_SHIFT, z_mm=5.0, amount=2.0, axis=1)
    assert Fault.parse("reset=line:100") == Fault(FaultKind.RESET, line=100)


@pytest.mark.parametrize("text", ["garble_in=2", "jam=when:3", "layer_shift=axis:w", "lost_ok=often"])
def test_what_is_no_fault_is_refused_with_its_name(text):
    with pytest.raises(InputError, match=text.partition("=")[0]):
        Fault.parse(text)


def test_an_unknown_fault_names_the_nearest():
    with pytest.raises(UnknownName, match="garble_in"):
        Fault.parse("garbel_in=0.1")


def test_rates_are_kept_and_seeds_repeat():
    def times(seed: int) -> list[int]:
        schedule = FaultSchedule(FaultPlan.parse(["lost_ok=0.01"]), seed)
        return [line for line in range(100_000) if schedule.next_line <= line and schedule.due(line)]

    first = times(1)
    assert first == times(1)
    assert first != times(2)
    assert len(first) == pytest.approx(1000, rel=0.15)


def test_a_fault_at_a_line_happens_once_and_at_a_rate_as_often_as_it_may():
    schedule = FaultSchedule(FaultPlan.parse(["jam=line:10", "lost_ok=rate:1,count:3"]), 0)
    for line in range(1, 100):
        schedule.due(line)
    assert schedule.counts == {"jam": 1, "lost_ok": 3}


def lines_through(fault: str, count: int = 200) -> tuple[list[bytes], OneWay]:
    wire = OneWay(FaultPlan.parse([fault]), 3)
    return [wire.carry(b"N%d G1 X%d*55\n" % (i, i), 0.0) for i in range(count)], wire


@pytest.mark.parametrize(
    ("fault", "longer"),
    [("garble_in=0.1", 0), ("drop_in=0.1", -1), ("double_in=0.1", 1), ("swap_in=0.1", 0), ("lost_newline=0.1", -1)],
)
def test_each_disturbance_touches_as_many_lines_as_it_says(fault, longer):
    arrived, wire = lines_through(fault)
    sent = [b"N%d G1 X%d*55\n" % (i, i) for i in range(200)]
    changed = [(a, b) for a, b in zip(sent, arrived, strict=True) if a != b]
    (count,) = wire.counts.values()
    assert 5 < count < 40
    assert 0.7 * count <= len(changed) <= count  # swapping equal bytes changes nothing
    assert all(len(b) - len(a) == longer for a, b in changed)


def test_lost_lines_are_gone():
    arrived, wire = lines_through("lost_line=0.1")
    assert sum(not line for line in arrived) == wire.counts["lost_line"] > 5


def test_swapped_bytes_keep_the_sum():
    arrived, _ = lines_through("swap_in=0.5")
    assert all(sorted(line) == sorted(b"N%d G1 X%d*55\n" % (i, i)) for i, line in enumerate(arrived))


def test_delayed_bytes_arrive_late_whole_and_in_order():
    wire = OneWay(FaultPlan.parse(["delay_in=line:2,amount:0.5"]), 0)
    assert wire.carry(b"one\n", 0.0) == b"one\n"
    assert wire.carry(b"two\n", 0.0) == b""
    assert wire.carry(b"thr", 0.1) == b""
    assert wire.due_s == 0.5
    assert wire.carry(b"ee\n", 0.5) == b"two\nthree\n"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("lost_ok", ""),
        ("spurious_ok", "ok\nok\n"),
        ("wrong_number=amount:-2", "Error:Line Number is not Last Line Number+1, Last Line: 3\nResend: 2\nok\nok\n"),
        ("resend_without_ok", "Error:checksum mismatch, Last Line: 3\nResend: 4\nok\n"),
        ("resend_storm=amount:3", "Error:checksum mismatch, Last Line: 3\n" + "Resend: 4\nok\n" * 3 + "ok\n"),
    ],
)
def test_replies_go_wrong_as_asked(make_sender, fault, expected):
    name, _, keys = fault.partition("=")
    sender = make_sender(faults=FaultPlan.parse([f"{name}=line:3,{keys}"]))
    sender.all("M107", "M107")
    assert sender("M107") == expected
    assert sender("M107") == "ok\n"
    assert sender.firmware.fault_counts[name] == 1


def test_a_reset_in_mid_print_says_start_and_forgets_the_line(make_sender):
    sender = make_sender(faults=FaultPlan.parse(["reset=line:3"]))
    sender.all("M107", "M107")
    reply = sender("M107")
    assert reply.startswith("start\n")
    assert "ok" not in reply
    assert "Resend: 1\n" in sender("M107")


def test_halting_and_locking(make_sender):
    assert "kill() called" in make_sender(faults=FaultPlan.parse(["halt=line:1"]))("G28")
    assert "Printer locked" in make_sender(faults=FaultPlan.parse(["lock=line:1"]))("G28")


def test_homing_can_fail(sender):
    sender.firmware.inject("homing_failed")
    assert re.search(r"Error:Homing Failed\nError:Printer halted", sender("G28"))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("thermal_runaway", "Thermal Runaway"),
        ("maxtemp", "MAXTEMP triggered"),
        ("bed_heating_failed", "Heater_ID: bed"),
    ],
)
def test_protection_stops_a_hot_machine_whose_heater_fails(hot, fault, said):
    hot("M190 S60")
    hot.firmware.inject(fault)
    reply = hot.all("G4 S300")
    assert said in reply
    assert "system stopped! Heater_ID:" in reply
    assert reply.endswith("//action:poweroff\n")
    assert set(hot.firmware.status()["targets_c"].values()) == {0.0}


def test_heating_that_fails_is_noticed_while_waiting(sender):
    sender.firmware.inject("heating_failed")
    reply = sender("M109 S210")
    assert "Error:Heating failed, system stopped! Heater_ID: 0\nError:Printer halted. kill() called!\n" in reply


def test_an_idle_machine_is_protected_too(hot):
    hot.firmware.inject("thermal_runaway")
    hot.firmware.poll(0.0)
    said = b"".join(hot.firmware.poll(second / 10) for second in range(30))
    assert b"Thermal Runaway" in said


def test_runout_asks_for_a_person_after_the_queued_moves(hot):
    hot.all("G1 Z0.2 F600", "G1 X10 E1 F1200")
    hot.firmware.inject("runout=amount:0.5")
    reply = hot("G1 X20 E2")
    assert "//action:prompt_begin FilamentRunout T0\n" in reply
    assert "//action:paused\n" in reply
    assert hot("G1 X30 E3") == ""
    assert "//action:resumed\n" in hot.raw(b"M108\n")
    hot("G1 X40 E4")
    assert hot.firmware.take().filament_mm.sum() == pytest.approx(1.0 + 0.5 + 1.0 + 1.0)


def test_a_disconnect_is_told_to_whoever_holds_the_port(make_sender):
    sender = make_sender(faults=FaultPlan.parse(["disconnect=line:2"]))
    sender("M107")
    assert sender.firmware.take_signal() is None
    sender("M107")
    assert sender.firmware.take_signal() == "disconnect"
