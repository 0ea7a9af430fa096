"""An open campaign, as the command line and a notebook use it."""

from __future__ import annotations

import getpass
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from toughopt.errors import CampaignBusy, ConfigError, InputError, JournalError, RunFailed
from toughopt.executor import open_executor
from toughopt.files import in_shell
from toughopt.journal import Event, Experiment, State
from toughopt.journal import events as ev
from toughopt.loop.conductor import Conductor, RunSummary
from toughopt.loop.crew import Crew, ThreadCrew
from toughopt.loop.lab import Lab, open_lab
from toughopt.loop.notices import Messenger
from toughopt.loop.telemetry import Telemetry
from toughopt.loop.verbs import refuse_odd_numbers, whole
from toughopt.loop.workspace import Workspace, open_as_known, open_workspace

if TYPE_CHECKING:
    from toughopt.campaign import NotifyConfig
    from toughopt.optimizer import Front, Recommendation
    from toughopt.printing import PrintEvent

_ANSWER_TIMEOUT_S = 30.0
OnMachine = Callable[[str, "PrintEvent"], None]


class Campaign:
    """An open campaign: the only object in the package that changes.

    Made by `Campaign.open` or `Campaign.create`; a context manager.
    """

    def __init__(self, workspace: Workspace) -> None:
        if not isinstance(workspace, Workspace):
            raise ConfigError(f"{workspace!r} is no open campaign; Campaign.open(folder) opens one")
        self._workspace = workspace
        self._lock = workspace.store.lock(workspace.folder)

    @classmethod
    def open(cls, folder: str | Path) -> Campaign:
        """The campaign in `folder`.

        Raises
        ------
        ConfigError
            If campaign.toml is missing or wrong, or changes what a campaign cannot change.
        JournalError
            If the journal cannot be read.
        """
        return cls(open_workspace(Path(folder)))

    @classmethod
    def open_running(cls, folder: str | Path) -> Campaign | None:
        """The campaign that a loop runs in `folder`, as it began, whatever campaign.toml says by now; None without one.

        So that a loop can be steered while somebody edits that file. A journal in PostgreSQL is not found like this.
        """
        try:
            campaign = cls(open_as_known(Path(folder)))
        except JournalError:
            return None
        if campaign.conducted:
            return campaign
        campaign.close()
        return None

    @classmethod
    def create(cls, folder: str | Path, config_toml: str) -> Campaign:
        """A new campaign: campaign.toml and the journal's first event. Raises ConfigError; then nothing is left."""
        from toughopt.campaign import parse_config
        from toughopt.loop.workspace import check_config

        target = Path(folder)
        path = target / "campaign.toml"
        if path.exists() or (target / "journal.sqlite").exists():
            lost = "" if path.exists() else f"; `toughopt new {in_shell(target)}` writes its campaign.toml again"
            raise ConfigError(f"{target} holds a campaign already{lost or '; run it, or choose another folder'}")
        check_config(parse_config(config_toml, str(path)), target)
        made = not target.exists()
        try:
            target.mkdir(parents=True, exist_ok=True)
            path.write_text(config_toml, encoding="utf-8")
        except OSError as error:
            if made:
                shutil.rmtree(target, ignore_errors=True)
            raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
        return cls.open(target)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._workspace.folder

    @property
    def workspace(self) -> Workspace:
        """Configuration, journal and artifacts."""
        return self._workspace

    @property
    def state(self) -> State:
        """Everything that is known, up to this moment."""
        self._workspace.take_in()
        return self._workspace.state

    @property
    def conducted(self) -> bool:
        """Whether a loop runs at this moment, here or elsewhere."""
        return self.state.conductor is not None and self._lock.held()

    @property
    def best(self) -> Experiment | None:
        """The experiment with the best measured value."""
        return self.state.best

    @property
    def recommendation(self) -> Recommendation | None:
        """The design with the best posterior mean, which is not always the luckiest test."""
        return self._workspace.chooser.recommend(self.state)

    @property
    def front(self) -> Front | None:
        """The Pareto front of the tested designs, where there are several objectives."""
        return self._workspace.chooser.front(self.state)

    def run(
        self,
        budget: int | None = None,
        *,
        on_event: Callable[[Event, State], None] = lambda event, state: None,
        on_machine: OnMachine = lambda printer, event: None,
        on_start: Callable[[Conductor], None] = lambda conductor: None,
        lab: Callable[[Workspace], AbstractContextManager[Lab]] = open_lab,
        crew: Crew | None = None,
        elsewhere: Executor | None = None,
    ) -> RunSummary:
        """Run or resume the loop, up to `budget` experiments in all.

        Parameters
        ----------
        budget : experiments in all, where it is not what was said before; journalled as `ctl budget` is, so that it
            holds until somebody says otherwise
        on_event, on_machine, on_start : told of each event, of what machines say, and of the conductor
        lab : opens the machines; those that campaign.toml names, unless told otherwise
        crew : who does the slow work; threads, unless told otherwise
        elsewhere : processes that build and slice; as campaign.toml says, unless told otherwise

        Raises
        ------
        InputError
            If the budget is no number of experiments.
        ConfigError, UnknownName
            If campaign.toml asks for what there is not.
        CampaignBusy
            If another process conducts it.
        DeviceError
            If a machine does not answer, or all printers had to be disabled.
        """
        if budget is not None:
            budget = whole({"budget": budget}, "budget", "a budget of experiments")
        self._workspace.check()  # a mistake that shows only when a curve is analysed costs a specimen
        with ExitStack() as stack:
            workers = self._workspace.config.fleet.workers
            if elsewhere is None and workers:
                elsewhere = stack.enter_context(open_executor("processes", workers=workers))
            notify = self._workspace.config.notify
            if notify.url is not None and crew is None:  # a simulated campaign tells nobody
                on_event = stack.enter_context(_messages(notify, self.state, on_event))
            if crew is None:
                on_machine = _both(stack.enter_context(Telemetry(self.folder)).see, on_machine)
            conductor = stack.enter_context(
                self._conducting(lab(self._workspace), on_event, on_machine, crew or ThreadCrew(), elsewhere)
            )
            on_start(conductor)
            if budget is not None and budget != self._workspace.budget():
                told = ev.Requested(verb="budget", arguments={"budget": budget}, who=_me(), why="as the run was told")
                self._workspace.store.append(told)
            return conductor.run()

    def suggest(self, count: int = 1) -> list[dict[str, Any]]:
        """`count` designs for a person to make: `{"id": ..., "design": {...}}`, pending until told or failed."""
        if count < 1:
            raise InputError(f"{count} designs are none; ask for 1 or more")
        designs: list[dict[str, Any]] = self.request("suggest", {"count": count})["result"]["designs"]
        return designs

    def add(self, design: Mapping[str, float | int | str], *, manual: bool = False, why: str = "") -> int:
        """Have a design of one's own made next; returns the experiment's id. Raises DesignError."""
        answer = self.request("add", {"design": dict(design), "manual": manual}, why=why)
        return int(answer["result"]["id"])

    def tell(
        self,
        experiment_id: int,
        *,
        value: float | None = None,
        curve: Path | None = None,
        mass_g: float | None = None,
        why: str = "",
    ) -> float:
        """Say what an experiment gave: a value of the objective, or a test-machine file; returns the value."""
        arguments: dict[str, Any] = {"id": experiment_id}
        if value is not None:
            arguments["value"] = value
        if mass_g is not None:
            arguments["mass_g"] = mass_g
        if curve is not None:
            arguments |= self.keep_file(curve)
        return float(self.request("tell", arguments, why=why)["result"]["value"])

    def keep_file(self, path: Path) -> dict[str, str]:
        """Keep a test machine's file with the campaign; how a request names it. Raises InputError."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
        return {"curve": self._workspace.artifacts.put(data), "file_name": path.name}

    def fail(self, experiment_id: int, *, why: str, blame: str = "design") -> None:
        """Declare an experiment failed; `blame` is "design" (the model learns it) or "lab" (it is done again)."""
        self.request("fail", {"id": experiment_id, "blame": blame}, why=why)

    def request(self, verb: str, arguments: Mapping[str, Any], *, why: str = "", who: str = "") -> Mapping[str, Any]:
        """Ask for something; answered at once where nobody conducts the campaign, else by who does.

        Raises
        ------
        InputError
            With the reason, where it was refused.
        RunFailed
            If the conductor does not answer in time; the request stays, and the next one to start answers it.
        """
        refuse_odd_numbers(arguments)
        payload = ev.Requested(verb=verb, arguments=dict(arguments), who=who or _me(), why=why)
        seq = self._workspace.store.append(payload).seq
        deadline = time.monotonic() + _ANSWER_TIMEOUT_S
        while seq not in self.state.answers:
            try:
                with self._conducting(_nobody()) as conductor:
                    conductor.answer_requests()
            except CampaignBusy:
                if time.monotonic() > deadline:
                    raise RunFailed(
                        f"{self._lock.holder()} has not answered `{verb}` in {_ANSWER_TIMEOUT_S:g} s; the request stays"
                    ) from None
        answer = self.state.answers[seq]
        if not answer["ok"]:
            raise InputError(str(answer["message"]))
        return answer

    def close(self) -> None:
        """Let the journal go."""
        self._workspace.close()

    def __enter__(self) -> Campaign:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _conducting(
        self,
        lab: AbstractContextManager[Lab],
        on_event: Callable[[Event, State], None] = lambda event, state: None,
        on_machine: OnMachine = lambda printer, event: None,
        crew: Crew | None = None,
        elsewhere: Executor | None = None,
    ) -> Iterator[Conductor]:
        with self._lock:
            self._workspace.take_in()
            self._workspace.note_changes()
            with lab as opened:
                yield Conductor(self._workspace, opened, on_event, on_machine, crew or ThreadCrew(), elsewhere)


def _both(first: OnMachine, second: OnMachine) -> OnMachine:
    def tell(printer: str, event: PrintEvent) -> None:
        first(printer, event)
        second(printer, event)

    return tell


@contextmanager
def _messages(
    notify: NotifyConfig, state: State, on_event: Callable[[Event, State], None]
) -> Iterator[Callable[[Event, State], None]]:
    """`on_event`, which also tells people who are not there."""
    with Messenger(notify.url or "", notify.format, notify.on) as messenger:
        messenger.begin(state)

        def both(event: Event, after: State) -> None:
            messenger.see(event, after)
            on_event(event, after)

        yield both


@contextmanager
def _nobody() -> Iterator[Lab]:
    """A lab without machines, for requests that need none."""
    yield Lab({}, None, _NoMachine(), _NoMachine())


class _NoMachine:
    """Stands where a load frame and a handler would; nothing that needs none ever calls it."""

    name = "nobody"

    def crush(self, specimen: str, limits: Any, timeout_s: float) -> Path:
        raise RunFailed(f"there is no load frame to crush {specimen} while nobody conducts the campaign")

    def stop(self) -> bool:
        return True

    def clear_bed(self, printer: str, specimen: str) -> None:
        raise RunFailed(f"there is nobody to clear {printer} while nobody conducts the campaign")

    def to_scale(self, specimen: str) -> None:
        raise RunFailed(f"there is nobody to carry {specimen} while nobody conducts the campaign")

    to_frame = discard = to_scale

    def close(self) -> None:
        """Nothing to let go."""


def _me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no user name on this system
        return "somebody"
