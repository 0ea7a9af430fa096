"""The virtual printer as one object: bytes in, bytes out, and the path that it executed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from toughopt.virtual.firmware.faults import INBOUND, OUTBOUND, Fault, FaultPlan
from toughopt.virtual.firmware.machine import Machine
from toughopt.virtual.firmware.options import Clock, FirmwareOptions
from toughopt.virtual.firmware.program import run_text
from toughopt.virtual.firmware.status import status_of
from toughopt.virtual.firmware.wire import OneWay

if TYPE_CHECKING:
    from toughopt.gcode.base import ExecutedPath
    from toughopt.profiles import PrinterProfile
    from toughopt.virtual.firmware.record import ExecutedCommand


class VirtualFirmware:
    """A Marlin-like printer without any input or output of its own.

    The caller hands over bytes and the time on its own clock, in seconds from wherever it likes, and gets back what the
    printer says. With the clock `max` moves and waits take no time at all; virtual time is right nevertheless.

    Parameters
    ----------
    profile : the machine
    seed : of everything that chance decides: faults, and where the head was left
    clock : "max", "real", a factor, or a `Clock`
    faults : what goes wrong
    options : what was compiled in
    """

    def __init__(
        self,
        profile: PrinterProfile,
        *,
        seed: int = 0,
        clock: Clock | str | float = "max",
        faults: FaultPlan | None = None,
        options: FirmwareOptions | None = None,
    ) -> None:
        plan = faults or FaultPlan()
        self.profile = profile
        self.options = options or FirmwareOptions()
        self.clock = clock if isinstance(clock, Clock) else Clock.parse(clock)
        self.machine = Machine(profile, seed=seed, clock=self.clock, options=self.options, faults=plan)
        self._inbound = OneWay(plan.only(INBOUND), seed)
        self._outbound = OneWay(plan.only(OUTBOUND), seed)
        self._sound_wire = not plan.only(INBOUND | OUTBOUND).faults  # neither has ever had a fault

    def feed(self, data: bytes, wall_s: float | None = None) -> bytes:
        """Bytes from the host; returns what the printer says by then. `wall_s` None means that no time has passed."""
        machine = self.machine
        if wall_s is None:
            wall_s = machine.wall_s
        if self._sound_wire:
            said = machine.move(data, wall_s)
            if said is not None:
                return said
        machine.pass_time(wall_s)
        machine.receive(self._inbound.carry(data, wall_s))
        machine.run()
        return self._outbound.carry(machine.take_output().encode("latin-1", "replace"), wall_s)

    def poll(self, wall_s: float) -> bytes:
        """Time has passed; returns what the printer says by then."""
        return self.feed(b"", wall_s)

    def due_s(self) -> float:
        """When to `poll` at the latest, on the caller's clock; inf where nothing is under way."""
        return min(self.machine.due_s(), self._inbound.due_s, self._outbound.due_s)

    def run_program(self, text: str) -> ExecutedPath:
        """Execute a program's text at once, without the serial line, and take the part off the bed.

        Raises
        ------
        FirmwareHalted
            If the firmware stopped itself on the way.
        """
        run_text(self.machine, text)
        return self.take()

    def take(self) -> ExecutedPath:
        """Finish the moves in hand, hand out what was recorded since the last time, and clear the bed."""
        path = self.recorded()
        self.machine.body.record.clear()
        self.machine.job_from_s = None
        return path

    def recorded(self) -> ExecutedPath:
        """The same, with the part left where it is."""
        self.settle()
        return self.machine.body.record.path()

    def settle(self) -> None:
        """With an unbound clock, let the moves that are queued be made."""
        if self.clock.unbound:
            self.machine.finish_moves()

    def inject(self, fault: Fault | str) -> None:
        """A fault from now on; text as for `Fault.parse`."""
        if isinstance(fault, str):
            fault = Fault.parse(fault)
        self._sound_wire = self._sound_wire and fault.kind not in INBOUND | OUTBOUND
        if fault.kind in INBOUND:
            self._inbound.add(fault)
        elif fault.kind in OUTBOUND:
            self._outbound.add(fault)
        else:
            self.machine.inject(fault)

    def reset(self) -> None:
        """Reset or power cycle: the firmware starts anew; the part stays on the bed, heaters cool down."""
        self.machine.reset()

    def hang_up(self) -> None:
        """The host has gone: what was on its way to it is lost; the machine goes on."""
        self._outbound.lose()
        self._inbound.lose()
        self.machine.take_output()

    def tick(self, wall_s: float) -> None:
        """Let time pass without looking at what the printer says; that is kept for the next `feed`."""
        self.machine.pass_time(wall_s)
        self.machine.run()

    @property
    def has_signal(self) -> bool:
        """Whether `take_signal` has something."""
        return bool(self.machine.signals)

    def take_signal(self) -> str | None:
        """Something for whoever holds the port: "disconnect", or None."""
        signals = self.machine.signals
        return signals.popleft() if signals else None

    def status(self) -> dict[str, Any]:
        """Everything a test or a monitor wants to know, as plain JSON values."""
        return status_of(self.machine, self.fault_counts)

    @property
    def fault_counts(self) -> Counter[str]:
        """How often each fault happened."""
        return self.machine.faults.counts + self._inbound.counts + self._outbound.counts

    @property
    def executed(self) -> list[ExecutedCommand]:
        """The commands that were executed, as far as `log_commands` keeps them."""
        return self.machine.log.entries
