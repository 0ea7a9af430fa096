"""The loop that serves a virtual printer: one thread, no busy waiting, the firmware called when something happens."""

from __future__ import annotations

import os
import selectors
import socket
import sys
from math import inf
from time import monotonic, sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toughopt.virtual.firmware.control import Control
    from toughopt.virtual.firmware.emulator import VirtualFirmware
    from toughopt.virtual.firmware.ports import Port

ORPHAN_S = 8.0  # how long to go on serving after the parent has died: a watchdog may still turn heaters off
PARENT_LOOK_S = 1.0
BOOT_S = 0.1  # from the reset to the banner; what a host sends meanwhile waits


class Server:
    """A firmware on a port, until it is told to stop; the machine's state outlives each host.

    With `wait` the machine's clock stands still until the first host is there.
    """

    def __init__(
        self, firmware: VirtualFirmware, port: Port, control: Control | None = None, *, wait: bool = False
    ) -> None:
        options, profile = firmware.options, firmware.profile
        self._resets = profile.serial.reset_on_connect if options.reset_on_connect is None else options.reset_on_connect
        self.firmware = firmware
        self.port = port
        self._control = control
        self._stopping = False
        self._waiting = wait
        self._orphan_until_s = inf
        self._wake_here, self._wake_there = socket.socketpair()
        self._wake_here.setblocking(False)
        self._parent = os.getppid()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_here, selectors.EVENT_READ)
        port.register(self._selector)

    def wake(self) -> None:
        """Look at the control lines now; may be called from any thread."""
        self._wake_there.send(b".")

    def stop(self) -> None:
        """Make `run` return; may be called from any thread."""
        self._stopping = True
        self.wake()

    def run(self) -> None:
        """Serve until stopped, or until the parent has been gone for a while."""
        firmware, port, select = self.firmware, self.port, self._selector.select
        unbound, until = firmware.clock.unbound, inf
        try:
            while not self._stopping:
                now = monotonic()
                # with an unbound clock only idleness is waited for: looking a little early does no harm
                if not unbound or now >= until or until == inf:
                    if now >= self._orphan_until_s:
                        return
                    until = self._until(now)
                for key, _ in select(None if until == inf else max(until - now, 0.0)):
                    if key.fileobj is self._wake_here:
                        self._wake_here.recv(4096)
                        self._obey()
                if not port.connected and port.opened():
                    self._waiting = False
                    firmware.hang_up()
                    if self._resets:
                        firmware.reset()
                        sleep(BOOT_S)
                if self._waiting:
                    continue
                said = firmware.feed(port.read(), monotonic())
                if firmware.has_signal and firmware.take_signal() == "disconnect":
                    port.hang_up()
                elif said:
                    port.write(said)
        finally:
            port.close()
            self._selector.close()
            self._wake_here.close()
            self._wake_there.close()

    def _until(self, now: float) -> float:
        """When to look again at the latest, whatever comes in before."""
        until = inf if self._waiting else self.firmware.due_s()
        look = self.port.look_s()
        if look is not None:
            until = min(until, now + look)
        if self._control is not None and self._orphan_until_s == inf and sys.platform != "win32":
            until = min(until, now + PARENT_LOOK_S)
            if os.getppid() != self._parent:
                self._orphan_until_s = now + ORPHAN_S
        return min(until, self._orphan_until_s)

    def _obey(self) -> None:
        control = self._control
        if control is None:
            return
        control.answer_all(self.firmware, monotonic())
        if control.quits:
            self._stopping = True
        elif control.ended:
            self._orphan_until_s = min(self._orphan_until_s, monotonic() + ORPHAN_S)
