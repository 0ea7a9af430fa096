"""The process that outlives its host."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from toughopt.errors import DeviceError
from toughopt.printing.guardian import Guardian
from toughopt.printing.processes import start_time
from toughopt.printing.watchdog import main


@pytest.fixture
def victim():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()
    process.stdin.close()


@pytest.fixture
def watch():
    """A watchdog over some process, as its host would start it."""
    dogs = []

    def start(pid, url, *more):
        command = [sys.executable, "-m", "toughopt.printing.watchdog", "--pid", str(pid), "--started", start_time(pid)]
        dog = subprocess.Popen([*command, "--url", url, "--fan-off", *more], stdin=subprocess.PIPE)
        dogs.append(dog)
        return dog

    yield start
    for dog in dogs:
        dog.kill()
        dog.wait()
        if not dog.stdin.closed:
            dog.stdin.close()


@pytest.mark.parametrize("kind", ["socket", "pty"])
def test_it_waits_until_the_host_is_dead(kind, make_machine, victim, watch):
    machine = make_machine(kind=kind, nozzle=200.0, bed=60.0)
    dog = watch(victim.pid, machine.url, "--tools", "2")
    with pytest.raises(subprocess.TimeoutExpired):
        dog.wait(1.0)
    assert machine.received == []
    victim.kill()
    victim.wait()
    assert dog.wait(20.0) == 0
    assert machine.is_safe
    assert not machine.motors
    assert "M104 T1 S0" in machine.executed


def test_released_it_ends_and_touches_nothing(make_machine, victim, watch):
    machine = make_machine(nozzle=200.0)
    dog = watch(victim.pid, machine.url)
    dog.stdin.write(b"release\n")
    dog.stdin.close()
    assert dog.wait(10.0) == 0
    assert machine.received == []


def test_a_file_of_the_working_folder_is_not_taken_for_pyserial(tmp_path, monkeypatch):
    (tmp_path / "serial.py").write_text("serial_for_url = None\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with Guardian("socket://127.0.0.1:9", 115200, 1, False) as guardian:
        guardian.require()
        assert guardian.is_running()


def test_a_watchdog_that_does_not_run_is_told(monkeypatch):
    monkeypatch.setattr("toughopt.printing.guardian._MODULE", "toughopt.no_such_module")
    with (
        Guardian("socket://127.0.0.1:9", 115200, 1, False) as guardian,
        pytest.raises(DeviceError, match="the watchdog process does not run"),
    ):
        guardian.require()


def test_a_port_that_is_in_use_is_left_alone_until_it_is_free(make_machine, victim, watch):
    machine = make_machine(kind="pty", nozzle=200.0)
    import fcntl

    with open(machine.url, "rb+", buffering=0) as other:  # noqa: PTH123
        fcntl.flock(other, fcntl.LOCK_EX)
        dog = watch(victim.pid, machine.url)
        victim.kill()
        victim.wait()
        with pytest.raises(subprocess.TimeoutExpired):
            dog.wait(2.0)
        assert machine.nozzle == 200.0
    assert dog.wait(20.0) == 0
    assert machine.is_safe


def test_a_machine_that_does_not_listen_is_stopped(make_machine, victim, watch):
    machine = make_machine(nozzle=200.0, script=lambda machine, raw, number, body: None if body == "M112" else [])
    dog = watch(victim.pid, machine.url)
    victim.kill()
    victim.wait()
    assert dog.wait(30.0) == 0
    assert machine.killed


def test_it_gives_up_in_the_end(victim):
    started = start_time(victim.pid)
    victim.kill()
    victim.wait()
    nowhere = ["--url", "socket://127.0.0.1:1", "--give-up-s", "0.2"]
    code = "import sys; from toughopt.printing.watchdog import main; sys.exit(main(sys.argv[1:]))"
    ended = subprocess.run(
        [sys.executable, "-c", code, "--pid", str(victim.pid), "--started", started, *nowhere], stdin=subprocess.DEVNULL
    )
    assert ended.returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/pts"), reason="needs pseudo-terminals")  # noqa: PTH110
def test_a_pseudo_terminal_that_is_gone_is_not_taken_for_the_next_of_that_name(victim, watch):
    master, slave = os.openpty()
    name = os.ttyname(slave)
    dog = watch(victim.pid, name)
    dog.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        dog.wait(1.0)
    os.close(master)
    os.close(slave)
    victim.kill()
    victim.wait()
    assert dog.wait(10.0) == 1


def test_it_loads_nothing_but_what_it_needs():
    code = "import sys, toughopt.printing.watchdog; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    for heavy in ("numpy", "pydantic", "click", "rich", "scipy"):
        assert heavy not in loaded


def test_a_guardian_runs_until_it_is_released(make_machine):
    machine = make_machine()
    with Guardian(machine.url, 115200, 1, True) as guardian:
        assert guardian.is_running()
        assert start_time(guardian.pid) is not None
    assert not guardian.is_running()
    guardian.release()


def test_it_wants_to_know_whom_to_watch():
    with pytest.raises(SystemExit):
        main([])
