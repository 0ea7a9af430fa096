"""The machines of a campaign, opened from its configuration: real ones, or the virtual lab's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toughopt.frames import Handler, LoadFrame, Scale, TestLimits
from toughopt.journal import Experiment, Stage
from toughopt.journal import events as ev
from toughopt.loop.measuring import Measurement, measure_file
from toughopt.printing import Printer

if TYPE_CHECKING:
    from toughopt.loop.workspace import Workspace

_WEIGH_TIMEOUT_S = 120.0
Tell = Callable[[ev.Payload], None]


@dataclass(frozen=True, slots=True)
class Lab:
    """Everything that prints, carries, weighs and crushes."""

    printers: dict[str, Printer]
    scale: Scale | None
    frame: LoadFrame
    handler: Handler
    path_of: Callable[[str], bytes | None] = lambda specimen: None

    def executed_path(self, specimen: str) -> bytes | None:
        """What the machine that printed it recorded, where it is one that does."""
        return self.path_of(specimen)

    def measure(self, workspace: Workspace, experiment: Experiment, hands: threading.Lock, tell: Tell) -> Measurement:
        """Weigh, crush and analyse one specimen, from whichever stage it is at; `tell` writes down each step.

        Raises
        ------
        DeviceError
            If a machine or the handler fails.
        CurveError
            If the frame's file holds no curve.
        """
        specimen, config = workspace.specimen(experiment), workspace.config
        mass_g = experiment.mass_g
        with hands:
            if experiment.stage is Stage.CLEARED:
                if self.scale is not None:
                    self.handler.to_scale(specimen)
                    mass_g = self.scale.weigh(_WEIGH_TIMEOUT_S)
                tell(ev.Weighed(mass_g=mass_g, by=self.scale.name if self.scale else "nobody"))
            body = workspace.body(experiment)
            if experiment.stage is Stage.TESTED:
                data, name, digest = workspace.artifacts.get(experiment.curve or ""), "curve", experiment.curve or ""
            else:
                self.handler.to_frame(specimen)
                tell(ev.Crushing(frame=self.frame.name))
                travel = config.test.travel_mm or 0.9 * (body.height_mm or 20.0)
                limits = TestLimits(config.test.force_limit_n, travel, config.test.speed_mm_per_min)
                try:
                    file = self.frame.crush(specimen, limits, config.test.timeout_s)
                    data, name = file.read_bytes(), file.name
                    digest = workspace.artifacts.put(data)
                    tell(ev.Tested(curve=digest, file_name=name, by=self.frame.name))
                finally:
                    self.handler.discard(specimen)
        measurement = measure_file(config, data, name, mass_g=mass_g, body=body)
        return Measurement(
            measurement.value, measurement.reason, measurement.censored, measurement.result, mass_g, digest
        )


@contextmanager
def open_lab(workspace: Workspace) -> Iterator[Lab]:
    """Open the machines that campaign.toml names; they are left safe and closed at the end.

    Raises
    ------
    DeviceError
        If one of them does not answer.
    ConfigError, UnknownName
        If one is of a kind that does not exist, or lacks what its kind needs.
    """
    from toughopt.printing import open_printer

    config = workspace.config
    with ExitStack() as stack:
        profile = workspace.recipe.profile
        if config.all_virtual:
            from toughopt.virtual.lab import VirtualLab

            virtual = stack.enter_context(
                VirtualLab(
                    {printer.name: profile for printer in config.printers},
                    workspace.folder / "lab",
                    config.seed,
                    clocks={printer.name: printer.clock for printer in config.printers},
                    faults={printer.name: printer.faults for printer in config.printers},
                )
            )
            urls = {printer.name: virtual.url(printer.name) for printer in config.printers}
            scale: Scale | None = virtual.scale
            frame: LoadFrame = virtual.frame
            handler: Handler = virtual.handler
            path_of: Callable[[str], bytes | None] = virtual.executed_path
        else:
            from toughopt.frames import open_frame, open_handler, open_scale

            urls = {printer.name: printer.url for printer in config.printers}
            scale = None if config.scale.kind == "none" else open_scale(_options(config.scale))
            frame = open_frame(_options(config.frame))
            handler = open_handler(_options(config.handler), guard=getattr(frame, "guard", None))
            path_of = _no_path
            if scale is not None:
                stack.callback(scale.close)
            stack.callback(frame.close)
        printers: dict[str, Printer] = {}
        for printer in config.printers:
            opened = open_printer(printer.name, urls[printer.name], profile)
            stack.callback(opened.close)
            printers[printer.name] = opened
        yield Lab(printers, scale, frame, handler, path_of)


def _options(config: Any) -> dict[str, Any]:
    return dict(config.model_dump())


def _no_path(specimen: str) -> bytes | None:
    return None
