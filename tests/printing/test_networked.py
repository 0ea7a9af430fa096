"""Printers behind other hosts: what is particular to them."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from toughopt.errors import ConfigError, DeviceError, LinkLost
from toughopt.gcode import Program
from toughopt.printing import NetworkPrinter, PrintEvent, PrintStatus, open_printer, scan_hosts
from toughopt.printing.clock import SystemClock
from toughopt.printing.hosts import api_key, plain_url
from toughopt.printing.moonraker import Moonraker
from toughopt.profiles import Limits, PrinterProfile

PROFILE = PrinterProfile(name="bench")
MOVES = "\n".join(f"G1 X{20 + k % 40} Y{30 + k // 40} E{k / 20 + 1:.2f} F3000" for k in range(120))
PROGRAM = Program(
    f"G28\nM190 S60\nM109 S210\nG90\nM82\nG92 E0\n{MOVES}\n", 1, 20.0, 10.0, 0.03, ((0, 0, 0), (60, 40, 0)), "bench"
)


BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """A TCP line between a host and us that can be cut, and mended; `says` is what is answered meanwhile."""

    says = b""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._cut = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._cut.set()
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._cut.clear()

    def close(self) -> None:
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._cut.is_set():
                with near, suppress(OSError):
                    if self.says:
                        near.recv(65536)
                        near.sendall(self.says)
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def make_proxy() -> Iterator[Callable[[int], Proxy]]:
    made: list[Proxy] = []

    def make(port: int) -> Proxy:
        made.append(Proxy(port))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


def printer_on(url: str, **options: float) -> NetworkPrinter:
    return NetworkPrinter("bench", Moonraker("bench", url, PROFILE), PROFILE, **options)


def unheard(proxy: Proxy, say: Callable[[], None]) -> Callable[[PrintEvent], None]:
    """A listener that speaks into a line which it has just cut, and mends the line when that is noticed."""
    left = [say]

    def listen(event: PrintEvent) -> None:
        if event.kind == "progress" and left:
            proxy.cut()
            left.pop()()
        elif event.kind == "fault" and event.data["fault"] == "out_of_reach":
            proxy.mend()

    return listen


@pytest.mark.parametrize("says", [b"", BAD_GATEWAY], ids=["closed", "502"])
def test_a_print_that_went_on_without_us_is_followed_again(make_moonraker, make_proxy, says: bytes) -> None:
    server = make_moonraker()
    proxy = make_proxy(server.port)
    proxy.says = says
    server.klipper.hold_at = 60
    seen: list[str] = []

    def listen(event: PrintEvent) -> None:
        if event.kind == "progress" and not seen:
            seen.append("cut")
            proxy.cut()
        elif event.kind == "fault" and event.data["fault"] == "out_of_reach":
            proxy.mend()
            server.klipper.go()

    with printer_on(proxy.url, patience_s=20.0) as printer:
        outcome = printer.print(PROGRAM, listen)
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.PRINTED, True), outcome
    assert [fault["fault"] for fault in outcome.faults] == ["out_of_reach"]
    assert [line for line in server.klipper.executed if line.startswith("G1 X")] == MOVES.splitlines()
    assert len(server.uploads) == 1 and server.files == {}, "months of prints would fill its disk"


@pytest.mark.parametrize("says", [b"", BAD_GATEWAY, BAD_GATEWAY.replace(b"502 Bad Gateway", b"401 Unauthorized")])
def test_a_host_that_stays_out_of_reach_leaves_the_print_uncertain(make_moonraker, make_proxy, says: bytes) -> None:
    server = make_moonraker()
    proxy = make_proxy(server.port)
    proxy.says = says
    server.klipper.hold_at = 60

    def listen(event: PrintEvent) -> None:
        if event.kind == "progress":
            proxy.cut()

    with printer_on(proxy.url, patience_s=0.5) as printer:
        outcome = printer.print(PROGRAM, listen)
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.UNCERTAIN, False), outcome
    assert server.klipper.state == "printing"
    assert len(server.files) == 1


def test_a_pause_is_limited_however_often_contact_is_lost_in_it(make_moonraker, make_proxy) -> None:
    server = make_moonraker()
    proxy = make_proxy(server.port)
    server.klipper.hold_at = 60
    clock = SystemClock()
    profile = PROFILE.model_copy(update={"limits": Limits(longest_pause_s=2.0)})
    ended = threading.Event()
    began: list[float] = []

    def flicker() -> None:
        while not ended.wait(0.6):
            proxy.cut()
            proxy.mend()

    flickering = threading.Thread(target=flicker)

    def listen(event: PrintEvent) -> None:
        if event.kind == "progress" and not began:
            began.append(clock.now())
            server.klipper.set_state("paused")
            flickering.start()
        elif began and clock.now() - began[0] > 30.0:
            printer.cancel("nothing has ended it")

    with NetworkPrinter("bench", Moonraker("bench", proxy.url, profile), profile, patience_s=20.0) as printer:
        outcome = printer.print(PROGRAM, listen)
    ended.set()
    flickering.join()
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.FAILED, True), outcome
    assert "longest_pause_s" in outcome.reason


def test_a_print_that_went_on_and_ended_out_of_reach_is_known_to_have_gone_on(make_moonraker, make_proxy) -> None:
    server = make_moonraker()
    proxy = make_proxy(server.port)
    server.klipper.hold_at = 60
    states: list[str] = []

    def listen(event: PrintEvent) -> None:
        if event.kind == "state":
            states.append(event.data["to"])
        if event.kind == "progress" and server.klipper.hold_at is not None:
            server.klipper.set_state("paused")
        if event.kind == "state" and event.data["to"] == "paused":
            proxy.cut()
            server.klipper.set_state("printing")
            server.klipper.go()
            with server.klipper.changed:
                assert server.klipper.changed.wait_for(lambda: server.klipper.state == "complete", 20.0)
            proxy.mend()

    with printer_on(proxy.url, patience_s=20.0) as printer:
        outcome = printer.print(PROGRAM, listen)
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.PRINTED, True), outcome
    assert states[-5:] == ["streaming", "paused", "streaming", "draining", "idle"]


def test_a_cancel_that_the_host_did_not_hear_is_said_again(make_moonraker, make_proxy) -> None:
    server = make_moonraker()
    proxy = make_proxy(server.port)
    server.klipper.hold_at = 60
    with printer_on(proxy.url, patience_s=20.0) as printer:
        outcome = printer.print(PROGRAM, unheard(proxy, lambda: printer.cancel("enough")))
    assert (outcome.status, outcome.reason, outcome.heaters_off) == (PrintStatus.CANCELLED, "enough", True), outcome
    assert [fault["fault"] for fault in outcome.faults] == ["out_of_reach"]


@pytest.mark.parametrize("answers", [True, False])
def test_a_host_that_does_not_cancel_is_halted(make_moonraker, monkeypatch, answers: bool) -> None:
    def cancel(self: Moonraker) -> None:
        if not answers:
            raise LinkLost("no answer to printer.print.cancel")

    monkeypatch.setattr(Moonraker, "cancel", cancel)
    monkeypatch.setattr("toughopt.printing.following._CANCEL_S", 1.0)
    server = make_moonraker()
    server.klipper.hold_at = 60

    def listen(event: PrintEvent) -> None:
        if event.kind == "progress":
            printer.cancel("enough")

    with printer_on(server.url, patience_s=20.0) as printer:
        outcome = printer.print(PROGRAM, listen)
    assert (outcome.status, outcome.reason, outcome.heaters_off) == (PrintStatus.CANCELLED, "enough", True), outcome
    assert "not_cancelled" in [fault["fault"] for fault in outcome.faults]
    assert "printer.emergency_stop" in server.calls


def test_a_pause_that_the_host_did_not_hear_is_said_again(make_moonraker, make_proxy) -> None:
    server = make_moonraker()
    proxy = make_proxy(server.port)
    server.klipper.hold_at = 60
    states: list[str] = []

    def listen(event: PrintEvent) -> None:
        lose_the_pause(event)
        if event.kind == "state":
            states.append(event.data["to"])
            if event.data["to"] == "paused":
                server.klipper.go()
                printer.resume()

    with printer_on(proxy.url, patience_s=20.0) as printer:
        lose_the_pause = unheard(proxy, printer.pause)
        outcome = printer.print(PROGRAM, listen)
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.PRINTED, True), outcome
    assert states[-5:] == ["streaming", "paused", "streaming", "draining", "idle"]


def test_a_host_that_has_forgotten_the_print_leaves_it_uncertain(make_moonraker, make_proxy) -> None:
    server = make_moonraker()
    proxy = make_proxy(server.port)
    server.klipper.hold_at = 60

    def listen(event: PrintEvent) -> None:
        if event.kind == "progress" and server.klipper.klippy == "ready":
            proxy.cut()
            server.klipper.shutdown("power cut")
        elif event.kind == "fault" and event.data["fault"] == "out_of_reach":
            server.klipper.restart()
            server.klipper.filename = ""
            proxy.mend()

    with printer_on(proxy.url, patience_s=20.0) as printer:
        outcome = printer.print(PROGRAM, listen)
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.UNCERTAIN, True), outcome
    assert "does not know what has become of the print" in outcome.reason


def test_a_halted_klipper_is_restarted_before_the_next_print(make_moonraker) -> None:
    server = make_moonraker()
    server.klipper.shutdown("Lost communication with MCU")
    with printer_on(server.url) as printer:
        assert printer.print(PROGRAM).status is PrintStatus.PRINTED
    assert server.klipper.restarts == 1


def test_heaters_that_do_not_obey_are_told(make_moonraker, monkeypatch) -> None:
    monkeypatch.setattr("toughopt.printing.moonraker._OFF_S", 0.5)
    server = make_moonraker()
    server.klipper.deaf = True
    with printer_on(server.url) as printer:
        outcome = printer.print(PROGRAM)
        server.klipper.deaf = False
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.PRINTED, False)
    assert "NOT known to be off" in outcome.reason


def test_somebody_elses_print_is_not_disturbed(make_moonraker) -> None:
    server = make_moonraker()
    server.klipper.state = "printing"
    with printer_on(server.url) as printer, pytest.raises(DeviceError, match="is printing; wait"):
        printer.print(PROGRAM)
    assert "printer.print.cancel" not in server.calls
    assert server.files == {}


def test_a_print_cancelled_at_the_host_is_cancelled(make_moonraker) -> None:
    server = make_moonraker()
    server.klipper.hold_at = 60

    def listen(event: PrintEvent) -> None:
        if event.kind == "progress":
            server.klipper.set_state("cancelled")

    with printer_on(server.url) as printer:
        outcome = printer.print(PROGRAM, listen)
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.CANCELLED, True)
    assert "Moonraker" in outcome.reason


def test_what_turns_everything_off_is_part_of_what_is_handed_over(make_moonraker) -> None:
    server = make_moonraker()
    with printer_on(server.url) as printer:
        printer.print(PROGRAM)
    (text,) = server.uploads
    assert text.decode().splitlines()[-5:] == ["M400", "M104 S0", "M140 S0", "M107", "M84"]


def test_the_key_comes_from_the_environment_and_is_needed(make_moonraker, monkeypatch) -> None:
    server = make_moonraker(key="s3cret")
    with printer_on(server.url) as printer, pytest.raises(DeviceError, match="API key"):
        printer.print(PROGRAM)
    monkeypatch.setenv("TOUGHOPT_API_KEY", "other")
    monkeypatch.setenv("TOUGHOPT_API_KEY_BENCH", "s3cret")
    with printer_on(server.url) as printer:
        assert printer.print(PROGRAM).status is PrintStatus.PRINTED


def test_a_printers_own_key_counts_first(monkeypatch) -> None:
    assert api_key("left one", None) is None
    monkeypatch.setenv("TOUGHOPT_API_KEY", "all")
    assert api_key("left one", None) == "all"
    monkeypatch.setenv("TOUGHOPT_API_KEY_LEFT_ONE", "own")
    assert api_key("left one", None) == "own"
    assert api_key("left one", "given") == "given"


@pytest.mark.parametrize(
    "url",
    [
        *("http://user:pw@host", "http://host?apikey=1", "ftp://host", "host:5000", "http://:5000"),
        *("http://host:abc", "http://host:99999", "http://[::1"),
    ],
)
def test_an_address_that_holds_a_key_or_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as told:
        plain_url(url, "OctoPrint")
    assert "pw" not in str(told.value)


def test_the_kind_in_the_url_chooses_the_host() -> None:
    for kind in ("octoprint", "moonraker"):
        printer = open_printer("one", f"{kind}+http://127.0.0.1:1", PROFILE)
        assert isinstance(printer, NetworkPrinter)
        with pytest.raises(DeviceError, match=r"127\.0\.0\.1:1 "):
            printer.print(PROGRAM)


@pytest.mark.parametrize("module", ["httpx", "websockets.sync.client"])
def test_what_is_not_installed_is_told(module: str, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=r"pip install 'toughopt\[network\]'"):
        if module == "httpx":
            open_printer("one", "octoprint+http://127.0.0.1:1", PROFILE)
        else:
            from toughopt.printing.rest import MessageSocket

            MessageSocket("Moonraker", "ws://127.0.0.1:1", {})


def test_serial_printers_import_nothing_of_it() -> None:
    import subprocess

    code = "import sys, toughopt.printing.marlin, toughopt.printing.registry\n"
    code += "print({'httpx', 'websockets'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_hosts_are_found_by_asking_them(make_moonraker) -> None:
    server = make_moonraker()
    found = scan_hosts([f"127.0.0.1:{server.port}", "127.0.0.1:1"])
    assert [(host.url, host.software, host.state) for host in found] == [
        (f"moonraker+{server.url}", "Moonraker v0.9.3", "ready")
    ]


@pytest.mark.parametrize("host", ["bench:abc", "bench:99999", "http://bench:abc", "http://user:pw@bench"])
def test_a_host_that_cannot_be_one_is_refused(host: str) -> None:
    with pytest.raises(ConfigError):
        scan_hosts([host])


def test_a_closed_printer_leaves_no_connection_to_its_host_and_may_print_again(make_moonraker, monkeypatch) -> None:
    import httpx

    opened: list[httpx.Client] = []

    class Counted(httpx.Client):
        def __init__(self, **options: object) -> None:
            super().__init__(**options)  # type: ignore[arg-type]
            opened.append(self)

    monkeypatch.setattr(httpx, "Client", Counted)
    server = make_moonraker()
    with printer_on(server.url) as printer:
        assert printer.print(PROGRAM).status is PrintStatus.PRINTED
        assert not opened[-1].is_closed
    assert opened and all(client.is_closed for client in opened)
    assert printer.print(PROGRAM).status is PrintStatus.PRINTED
    printer.close()
    assert all(client.is_closed for client in opened)


def test_an_octoprint_that_hangs_up_at_the_login_leaves_no_socket_open(monkeypatch) -> None:
    from toughopt.printing import octoprint

    closed: list[str] = []

    class Socket:
        def __init__(self, where: str, url: str, headers: object) -> None:
            self.url = url

        def send(self, message: object) -> None:
            raise LinkLost("it has closed the connection")

        def close(self) -> None:
            closed.append(self.url)

    answers = {"/api/login": {"name": "bench", "session": "1"}}
    monkeypatch.setattr(octoprint, "MessageSocket", Socket)
    monkeypatch.setattr(octoprint.RestClient, "_asked", lambda self, method, path, **options: answers.get(path, {}))
    host = octoprint.OctoPrint("bench", "http://127.0.0.1:1", PROFILE, key="1")
    for _ in range(2):  # the second try logs in again, for the first has left nothing
        with pytest.raises(LinkLost):
            host.attach()
    assert closed == ["ws://127.0.0.1:1/sockjs/websocket"] * 2


@pytest.mark.full
def test_octoprint_is_found_with_a_key_and_without(octoprint, monkeypatch) -> None:
    (found,) = scan_hosts([octoprint.url])
    assert "API key" in found.note
    monkeypatch.setenv("TOUGHOPT_API_KEY", sys.modules["printing_octoprint_server"].KEY)
    (found,) = scan_hosts([octoprint.url])
    assert found.software.startswith("OctoPrint 1.")


@pytest.mark.full
def test_octoprint_refuses_a_wrong_key(octoprint) -> None:
    from toughopt.printing.octoprint import octoprint_printer

    printer = octoprint_printer("one", octoprint.url, PROFILE, key="wrong")
    with pytest.raises(DeviceError, match="TOUGHOPT_API_KEY_ONE"):
        printer.print(PROGRAM)


@pytest.mark.full
def test_octoprint_that_loses_its_printer_has_failed_and_is_made_cold(octoprint) -> None:
    from toughopt.printing.octoprint import OctoPrint

    host = OctoPrint("one", octoprint.url, PROFILE, key=sys.modules["printing_octoprint_server"].KEY)
    unplugged: list[bool] = []

    def unplug(event: PrintEvent) -> None:
        if event.kind == "state" and event.data["to"] == "streaming" and not unplugged:
            unplugged.append(True)
            host._rest.post("/api/connection", json={"command": "disconnect"})

    with NetworkPrinter("one", host, PrinterProfile(name="hot", limits=Limits(max_bed_c=250.0))) as printer:
        outcome = printer.print(PROGRAM, unplug)
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.FAILED, True), outcome


@pytest.mark.full
def test_octoprint_keeps_no_program_once_it_is_printed(octoprint) -> None:
    from toughopt.printing.octoprint import OctoPrint

    host = OctoPrint("one", octoprint.url, PROFILE, key=sys.modules["printing_octoprint_server"].KEY)

    def kept() -> set[str]:
        return {file["name"] for file in host._rest.get("/api/files/local")["files"]}

    before = kept()  # of other tests' uncertain prints, perhaps
    with NetworkPrinter("one", host, PrinterProfile(name="hot", limits=Limits(max_bed_c=250.0))) as printer:
        assert printer.print(PROGRAM).status is PrintStatus.PRINTED
    assert kept() == before


def test_what_stands_in_a_comment_is_no_command_whatever_the_host_takes_for_the_end_of_a_line(make_moonraker) -> None:
    server = make_moonraker()
    printer = printer_on(server.url)
    text = PROGRAM.text.replace("G28\n", "G28 ; home\rM104 S350\r\n", 1)
    assert printer.print(replace(PROGRAM, text=text)).status is PrintStatus.PRINTED
    assert b"\r" not in server.uploads[-1] and b"G28 ; home M104 S350\n" in server.uploads[-1]
    printer.close()
