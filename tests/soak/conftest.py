"""Long trials: what they share to break things, and a count of what they did.

TOUGHOPT_SOAK_RESULTS names a file for that count.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from toughopt import Campaign
from toughopt.errors import DeviceError, LinkLost, ToughoptError
from toughopt.journal import Event, State
from toughopt.loop.lab import Lab
from toughopt.virtual.firmware import VirtualPrinterProcess

_STALE_S = 3.0
_START = "M109 S215"  # once in each program
_PCS = {"pc-1": ("printer-1", "printer-2"), "pc-2": ("printer-3",)}
_FAULTS = ("halt", "disconnect", "heating_failed", "reset", "lost_ok=rate:0.01,count:3", "garble_in=rate:0.001,count:3")
_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid != pg_backend_pid()"
)
_FAILED = pytest.StashKey[bool]()
Tally = Callable[..., None]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember of each trial whether it failed, for `tally`."""
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """`tally(kills=20, lost=0)`: the figures of this trial, kept under its name; a later run replaces them.

    A trial that fails is counted as that: neither its figures nor those of an earlier run stand for it.
    """
    name = os.environ.get("TOUGHOPT_SOAK_RESULTS")

    def keep(**figures: float) -> None:
        if not name:
            return
        file = Path(name)
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        known[request.node.nodeid.partition("soak/")[2]] = figures
        whole = file.with_suffix(".part")
        whole.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        whole.replace(file)

    yield keep
    if request.node.stash.get(_FAILED, False):
        keep(trials_failed=1)


@pytest.fixture
def chaos(postgres_url: str, postgres_cluster: Any, tmp_path: Path) -> Callable[[int], Chaos]:
    """A lab in which everything dies now and then, by its seed."""
    return lambda seed: Chaos(seed, postgres_url, postgres_cluster, tmp_path)


class Machine:
    """A virtual printer that can lose its power, and that keeps count of the programs that were begun on its bed."""

    def __init__(self, name: str, seed: int) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.name, self._seed = name, seed
        self.starts, self.wrongs, self.power_cuts = 0, list[str](), 0
        self._seen = self._on_bed = 0
        self._lock = threading.Lock()
        self._process = self._plugged_in()

    @property
    def url(self) -> str:
        return f"socket://127.0.0.1:{self._port}"

    def take(self, path: Path) -> Any:
        """The part off the bed: of one print, or something is wrong."""
        with self._lock:
            self._look()
            if self._on_bed > 1:
                self.wrongs.append(f"{self._on_bed} prints lay on the bed of {self.name}")
            self._on_bed = 0
            return self._process.take(path)

    def fault(self, text: str) -> None:
        with self._lock, suppress(DeviceError):
            self._process.inject(text)

    def power_cut(self) -> None:
        with self._lock:
            with suppress(LinkLost):
                self._look()
            os.kill(self._process.pid, 9)
            self._process.close()
            self.power_cuts += 1
            self._seen = 0
            self._process = self._plugged_in()

    def reset(self) -> None:
        with self._lock, suppress(DeviceError):
            self._process.reset()

    def is_cold(self, within_s: float) -> bool:
        end = time.monotonic() + within_s
        while any(self._process.status()["targets_c"].values()):
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
        return True

    def close(self) -> None:
        with self._lock:
            self._look()
            self._process.close()

    def _look(self) -> None:
        begun = sum(text == _START for _, text in self._process.executed())
        self.starts += begun - self._seen
        self._on_bed += begun - self._seen
        self._seen = begun

    def _plugged_in(self) -> VirtualPrinterProcess:
        options = ["--log", "-1", "--tcp", str(self._port)]
        return VirtualPrinterProcess("virtual_small", seed=self._seed, options=options)


class Pc:
    """A PC whose agent is started again whenever it ends."""

    def __init__(self, name: str, url: str, machines: Mapping[str, Machine], folder: Path) -> None:
        self._command = [sys.executable, "-m", "toughopt", "agent", name, url, "--stale-s", str(_STALE_S)]
        for machine in machines.values():
            self._command += ["--machine", f"{machine.name}={machine.url},virtual_small"]
        cache = str(folder / name)
        self._environment = os.environ | {"XDG_CACHE_HOME": cache, "LOCALAPPDATA": cache, "OMP_NUM_THREADS": "1"}
        self._log = (folder / f"{name}.log").open("ab")
        self._over = threading.Event()
        self._process = self._started()
        self.kills = 0
        self._keeper = threading.Thread(target=self._keep, name=name)
        self._keeper.start()

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self.kills += 1

    def close(self) -> None:
        self._over.set()
        self._keeper.join()
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _keep(self) -> None:
        while not self._over.wait(0.5):
            if self._process.poll() is not None:
                self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdout=self._log, stderr=self._log, env=self._environment)


class Faulty:
    """A handler or a load frame, which now and then fails: before it did anything, or after."""

    def __init__(self, machine: Any, rng: random.Random, often: float, *actions: str) -> None:
        self._machine, self._rng, self._often, self._actions = machine, rng, often, actions
        self.name, self.failures = machine.name, 0

    def __getattr__(self, action: str) -> Any:
        done = getattr(self._machine, action)
        return (lambda *given: self._tried(done, action, given)) if action in self._actions else done

    def _tried(self, done: Callable[..., Any], action: str, given: tuple[Any, ...]) -> Any:
        drawn = self._rng.random()
        if drawn > self._often:
            return done(*given)
        self.failures += 1
        if drawn > self._often / 2:
            done(*given)
        raise DeviceError(f"{self.name} failed at {action}")


class Chaos:
    """A lab, and who breaks it, and who looks after it."""

    def __init__(self, seed: int, url: str, cluster: Any, folder: Path) -> None:
        self._seed, self._url, self._cluster, self._folder = seed, url, cluster, folder
        self.rng = random.Random(seed)
        self.pcs_wanted = _PCS
        self.done: dict[str, int] = dict.fromkeys(("agent", "lines", "fault", "power", "database"), 0)
        self._over = threading.Event()
        self._moved = threading.Condition()
        self._events = 0
        self._called = threading.Event()
        self.hands: Any = None
        self.faulty: list[Faulty] = []

    def see(self, event: Event, state: State) -> None:
        """Told of what happens: things break by and by as the campaign goes on, however fast that is."""
        key = str(event.payload.get("key", ""))
        if event.kind == "steered" and (key.startswith("disabled:") or key == "keep_clear"):
            self._called.set()
        with self._moved:
            self._events += 1
            self._moved.notify_all()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Machines and PCs, until it is left; whoever breaks and mends them is at it meanwhile."""
        with ExitStack() as stack:
            names = [name for machines in _PCS.values() for name in machines]
            self.machines = {name: Machine(name, self._seed + i) for i, name in enumerate(names)}
            for machine in self.machines.values():
                stack.callback(machine.close)
            self.pcs = []
            for name, owned in _PCS.items():
                pc = Pc(name, self._url, {each: self.machines[each] for each in owned}, self._folder)
                stack.callback(pc.close)
                self.pcs.append(pc)
            for work in (self._break_things, self._look_after_things):
                thread = threading.Thread(target=work, name=work.__name__)
                thread.start()
                stack.callback(thread.join)
            stack.callback(self._end)
            yield

    @contextmanager
    def lab(self, workspace: Any) -> Iterator[Lab]:
        """Printers behind agents; virtual hands, scale and press, all of which fail."""
        from toughopt.agents import RemotePrinter, open_exchange
        from toughopt.frames.folder import FolderWatch, WatchedFolderFrame
        from toughopt.frames.guard import FrameGuard
        from toughopt.frames.scales import SartoriusScale
        from toughopt.virtual.exporter import VirtualPress
        from toughopt.virtual.lab import VirtualHandler
        from toughopt.virtual.scale import VirtualScale

        press_folder, parts = self._folder / "press", self._folder / "parts"
        for made in (press_folder, parts):
            made.mkdir(exist_ok=True)
        guard = FrameGuard(confirm=None)
        with ExitStack() as stack:
            balance = stack.enter_context(VirtualScale(self._seed))
            scale = SartoriusScale(balance.url, name="scale")
            stack.callback(scale.close)
            press = VirtualPress(press_folder)
            stack.callback(press.close)
            self.hands = VirtualHandler(self.machines, balance, press, guard, parts, self._seed)
            watch = FolderWatch(press_folder, press.pattern, settle_s=0.0, poll_s=0.02)
            frame = Faulty(WatchedFolderFrame(watch, guard, press, name="press"), self.rng, 0.05, "crush")
            handler = Faulty(self.hands, self.rng, 0.04, "clear_bed", "to_scale", "to_frame", "discard")
            self.faulty += [frame, handler]
            exchange = open_exchange(self._url, workspace.folder / "artifacts")
            stack.callback(exchange.close)
            printers = {name: RemotePrinter(name, pc, exchange) for pc, names in _PCS.items() for name in names}
            yield Lab(printers, scale, frame, handler, self.hands.record_of, guard)  # type: ignore[arg-type]

    def _end(self) -> None:
        self._over.set()
        self._called.set()
        with self._moved:
            self._moved.notify_all()

    def _break_things(self) -> None:
        rng = random.Random(f"{self._seed}/chaos")
        acts = ["agent"] * 4 + ["lines"] * 5 + ["fault"] * 5 + ["power"] * 2 + ["database"]
        while not self._over.is_set():
            with self._moved:
                until = self._events + rng.randint(3, 20)
                self._moved.wait_for(lambda until=until: self._over.is_set() or self._events >= until)  # type: ignore[misc]
            if self._over.wait(rng.uniform(0.0, 2.0)):
                return
            machine, act = rng.choice(list(self.machines.values())), rng.choice(acts)
            self.done[act] += 1
            match act:
                case "agent":
                    rng.choice(self.pcs).kill()
                case "lines":
                    self._cut_lines()
                case "fault":
                    machine.fault(rng.choice(_FAULTS))
                case "power":
                    machine.power_cut()
                case "database":
                    self._cluster.stop()
                    self._over.wait(rng.uniform(0.0, 4.0))
                    self._cluster.restart()

    def _cut_lines(self) -> None:
        import psycopg

        with suppress(psycopg.Error), psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(_CUT)

    def _look_after_things(self) -> None:
        """Somebody who comes by: mends printers and enables them again, and clears the press."""
        while not self._over.wait(1.0):
            self._called.wait(10.0)
            self._called.clear()
            with suppress(ToughoptError), Campaign.open(self._folder / "campaign") as campaign:  # or the next time
                self._mend(campaign)

    def _mend(self, campaign: Campaign) -> None:
        from toughopt.agents import open_exchange

        steering = dict(campaign.state.steering)
        if steering.get("keep_clear") and self.hands is not None:
            self.hands.discard(str(steering["keep_clear"]).partition(" ")[0])
            campaign.request("keep-clear", {"state": "off"}, why="took away what lay there")
        exchange = open_exchange(self._url, self._folder / "looked")
        try:
            for pc, names in _PCS.items():
                agent = exchange.agent(pc)
                for name in names if agent is not None and not agent.lost else ():
                    if steering.get(f"disabled:{name}"):
                        self.machines[name].reset()
                        campaign.request("enable", {"printer": name}, why="looked after it")
        finally:
            exchange.close()
