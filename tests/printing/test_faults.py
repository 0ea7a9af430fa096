"""Everything that a serial line and a firmware are known to do to a print, and what the host does about it."""

from __future__ import annotations

import pytest

from toughopt.errors import DeviceError, FirmwareHalted, LinkLost, ProgramError
from toughopt.printing import PrintStatus, State, StreamSettings
from toughopt.printing.replies import Kind, parse

START = 7  # number of the first move in the program


def moves_of(lines):
    return [line for line in lines if line.startswith("G1")]


def at_line(target, *answer, times=1, execute=False):
    """Answer so when line `target` arrives, the first `times` times; where `execute`, the machine does take it."""
    seen = []

    def script(machine, raw, number, body):
        if number != target or len(seen) >= times:
            return None
        seen.append(raw)
        if execute:
            machine.marlin(raw, number, body)
        return [line.format(last=machine.last, next=machine.last + 1) for line in answer]

    return script


@pytest.fixture
def run(make_machine, make_printer, tmp_path, program_text):
    """Print the small program on a machine with a script; (outcome, machine, events)."""
    path = tmp_path / "part.gcode"
    path.write_text(program_text)

    def go(script=None, **options):
        stream = options.pop("stream", StreamSettings(window="off"))
        machine = make_machine(script=script, **options)
        events = []
        outcome = make_printer(machine, stream=stream).print_file(path, events.append)
        return outcome, machine, events

    return go


def assert_whole(outcome, machine, program_text):
    assert outcome.status is PrintStatus.PRINTED, outcome.reason
    assert outcome.heaters_off
    assert moves_of(machine.executed) == moves_of(program_text.splitlines())
    assert machine.is_safe


def kinds(outcome):
    return [fault["fault"] for fault in outcome.faults]


# --- what is repaired: the program arrives once and in order -------------------------------------------------------

REPAIRED = {
    "the ok after a resend acknowledges nothing": at_line(
        20, "Error:checksum mismatch, Last Line: {last}", "Resend: {next}", "ok"
    ),
    "a resend without ok": at_line(20, "Error:checksum mismatch, Last Line: {last}", "Resend: {next}"),
    "several resends for one error": at_line(20, "Error:x checksum", *["Resend: {next}", "ok"] * 4),
    "the last of several resends counts": at_line(20, "Resend: 18", "ok", "Resend: {next}", "ok"),
    "a resend as rs": at_line(20, "rs {next}", "ok"),
    "a resend as rs N": at_line(20, "rs N{next} Expected checksum 67", "ok"),
    "no line number with checksum, and nothing after": at_line(
        20, "Error:No Line Number with checksum, Last Line: {last}"
    ),
    "a lost line": at_line(20),
    "a lost ok": at_line(20, execute=True),
    "ok garbled to o3": at_line(20, "o3", execute=True),
    "ok garbled to k": at_line(20, "k", execute=True),
    "ok garbled to 7k": at_line(20, "7k", execute=True),
    "ok garbled beyond UTF-8": at_line(20, "\xff\xfek", execute=True),
    "the same ok lost and its probe too": at_line(20, execute=True, times=2),
    "wait while a line is unacknowledged": at_line(20, "wait"),
    "temperatures go on, oks do not": at_line(20, *["T:210.0 /210.0 B:60.0 /60.0 @:0"] * 3, execute=True),
    "an unknown command that no line can have been": at_line(20, 'echo:Unknown command: "20 G1 X2"', "ok"),
    "a resend number lost a digit": at_line(20, "Resend: 2", "ok"),
    "busy before the ok": at_line(20, "echo:busy: processing", "echo:busy: processing", "ok", execute=True),
    "reports unasked": at_line(20, " T:210.0 /210.0 B:60.0 /60.0 @:0", "echo:something", "ok", execute=True),
    "a remark for people that begins with a verb": at_line(20, "// cancel it if you like", "ok", execute=True),
    "NUL and blanks": at_line(20, "\0\0 ok \0", execute=True),
}


@pytest.mark.parametrize("name", REPAIRED)
def test_a_fault_is_repaired(name, run, program_text):
    outcome, machine, _ = run(REPAIRED[name])
    assert_whole(outcome, machine, program_text)
    assert outcome.strays == 0


@pytest.mark.parametrize(
    "how", ["ok P15 B3", "ok P15 B3 N{number}", "ok N{number} P15 B3", "ok {number}", "ok T:210 /0"]
)
def test_whatever_else_the_ok_says_it_acknowledges_the_line(how, run, program_text):
    """Some firmware tells its buffers without the line's number."""

    def script(machine, raw, number, body):
        answers = machine.marlin(raw, number, body)
        say = how.format(number=number) if number is not None else "ok"
        return [say if answer == "ok" else answer for answer in answers]

    outcome, machine, _ = run(script)
    assert_whole(outcome, machine, program_text)
    assert kinds(outcome) == []


def test_a_probe_is_the_oldest_line_and_is_never_executed_twice(run, program_text):
    outcome, machine, _ = run(at_line(20, execute=True))
    assert "probe" in kinds(outcome)
    line = next(raw for raw in machine.received if raw.startswith("N20 "))
    assert machine.received.count(line) == 2
    assert_whole(outcome, machine, program_text)


def test_a_machine_that_takes_lines_and_says_no_ok_any_more_is_given_up(run):
    """Each of its oks could be made up for by asking, at three seconds a line."""

    def without_ok(machine, raw, number, body):
        answers = machine.marlin(raw, number, body)
        return [] if number is not None and number >= 20 and answers[0].startswith("ok") else answers

    outcome, machine, _ = run(without_ok)
    assert outcome.status is PrintStatus.UNCERTAIN
    assert "has not said ok to the last 20" in outcome.reason
    assert kinds(outcome).count("probe") == 20
    assert machine.is_safe


def test_a_newline_lost_on_the_last_line_is_made_up_by_an_empty_one(run, program_text):
    asked = []

    def swallow_newline(machine, raw, number, body):
        if number != 20 or asked:
            return None
        asked.append(raw)  # it lies in the buffer until a newline comes: the next thing that does is the probe
        return []

    outcome, machine, _ = run(swallow_newline)
    assert_whole(outcome, machine, program_text)
    assert next(fault for fault in outcome.faults if fault["fault"] == "probe")["bytes"] == asked[0]


def test_a_newline_lost_between_lines_is_a_line_that_is_sent_again(run, program_text):
    """With several lines in flight, two arrive as one: the number of the first, the checksum of the second."""
    held = []

    def join_with_the_next(machine, raw, number, body):
        if number == 20 and not held:
            held.append(raw)
            return []
        if number == 21 and len(held) == 1:
            held.append(raw)
            return machine.refuse("checksum mismatch")
        return None

    outcome, machine, _ = run(join_with_the_next, stream=StreamSettings(window="on"))
    assert_whole(outcome, machine, program_text)
    assert len(held) == 2
    assert outcome.resends >= 1


def test_resend_of_the_next_unsent_line_is_ignored(run, program_text):
    outcome, machine, _ = run(at_line(20, "ok", "Resend: 21", "ok", execute=True))
    assert_whole(outcome, machine, program_text)


def test_newer_firmware_that_ignores_a_line_sent_twice_is_asked_with_a_wrong_number(run, program_text):
    def lose_ok_and_ignore_duplicates(machine, raw, number, body):
        if number is not None and number == machine.last and "M110" not in body:
            return []
        if number == 20 and machine.last == 19:
            machine.marlin(raw, number, body)
            return []
        return None

    outcome, machine, _ = run(lose_ok_and_ignore_duplicates)
    assert_whole(outcome, machine, program_text)
    assert kinds(outcome).count("probe") == 2


def test_a_reply_split_over_reads_is_put_together(run, program_text):
    def split(machine, raw, number, body):
        if number != 20:
            return None
        machine.marlin(raw, number, body)
        machine.say_bytes(b" T:21")
        machine.say_bytes(b"0.0 /210.0 B:60.0 /60.0\no")
        machine.say_bytes(b"k\n")
        return []

    outcome, machine, _ = run(split)
    assert_whole(outcome, machine, program_text)


def test_a_firmware_that_does_not_know_a_command_is_no_fault(run, program_text):
    def unknown(machine, raw, number, body):
        if body != "M400":
            return None
        machine.marlin(raw, number, body)
        return ['echo:Unknown command: "M400"', "ok"]

    outcome, machine, _ = run(unknown)
    assert_whole(outcome, machine, program_text)
    assert "unsupported" in kinds(outcome)


def test_a_firmware_that_does_not_know_a_move_prints_no_part(run):
    outcome, machine, _ = run(lambda machine, raw, number, body: unknown_move(machine, number, body))
    assert outcome.status is PrintStatus.FAILED
    assert "'G1" in outcome.reason and "not carried out" in outcome.reason
    assert machine.is_safe


def unknown_move(machine, number, body):
    """Arcs where support for them was left out; here, a line that was read wrongly."""
    if number != 20:
        return None
    machine.last = number
    return [f'echo:Unknown command: "{body}"', "ok"]


def test_an_ok_without_a_line_is_recorded_as_a_stray(run, program_text):
    outcome, machine, _ = run(at_line(60, "ok", "ok", "ok", execute=True))
    assert outcome.status is PrintStatus.PRINTED
    assert machine.is_safe
    assert moves_of(machine.executed) == moves_of(program_text.splitlines())


def test_busy_extends_the_deadline(run, program_text):
    outcome, machine, _ = run(at_line(1, *["echo:busy: processing"] * 20, "ok", execute=True))
    assert_whole(outcome, machine, program_text)


# --- what ends a print: a stated fault, and a safe machine ----------------------------------------------------------


def silent_from(target):
    """The machine hears, and says nothing more to any line of the print."""

    def script(machine, raw, number, body):
        return [] if number is not None and (number >= target or machine.last >= target - 1) else None

    return script


ENDED = {
    "reset in mid-print": (at_line(20, "start"), "reset in mid-print"),
    "brown-out in mid-print": (at_line(20, "echo: Brown out Reset"), "reset in mid-print"),
    "line 1 asked for in mid-print": (
        at_line(20, "Error:Line Number is not Last Line Number+1, Last Line: 0", "Resend: 1", "ok"),
        "reset in mid-print",
    ),
    "a resend beyond what was sent": (at_line(20, "Resend: 4000", "ok", times=3), "cannot be sent"),
    "the same resend ten times": (
        at_line(20, "Error:checksum mismatch, Last Line: {last}", "Resend: {next}", "ok", times=30),
        "10 times in a row",
    ),
    "printer stopped": (
        at_line(20, "Error:Printer stopped due to errors. Fix the error and use M999 to restart", "ok"),
        "Printer stopped",
    ),
    "cold extrusion prevented": (at_line(20, "echo: cold extrusion prevented", "ok", execute=True), "cold extrusion"),
    "a line taken for another command": (
        at_line(20, 'echo:Unknown command: "F1 X23"', "ok", execute=True),
        "a line was lost",
    ),
    "an unhandled error": (at_line(20, "Error:Something new", "ok"), "Something new"),
    "silence": (silent_from(20), "has not answered"),
    "locked in mid-print": (at_line(20, "echo:Printer locked! (Unlock with M511 or LCD)", "ok"), "M511"),
    "too hot": (at_line(20, "T:300.0 /210.0 B:60.0 /60.0", "ok", execute=True), "300 C"),
    "target set by somebody else": (at_line(20, "T:210.0 /290.0 B:60.0 /60.0", "ok", execute=True), "290 C"),
    "the machine disconnects": (at_line(20, "//action:disconnect", "ok", execute=True), "disconnect"),
    "the machine turns itself off": (at_line(20, "//action:poweroff", "ok", execute=True), "turns itself off"),
}


@pytest.mark.parametrize("name", ENDED)
def test_a_fault_ends_the_print_and_leaves_the_machine_safe(name, run):
    script, reason = ENDED[name]
    outcome, machine, _ = run(script)
    assert outcome.status in (PrintStatus.FAILED, PrintStatus.UNCERTAIN)
    assert reason in outcome.reason
    assert outcome.heaters_off
    assert machine.is_safe
    assert len(moves_of(machine.executed)) <= 20
    assert outcome.faults


HALTS = {
    "thermal runaway": ["Error:Thermal Runaway, system stopped! Heater_ID: 0", "Error:Printer halted. kill() called!"],
    "heating failed": ["Error:Heating failed, system stopped! Heater_ID: bed", "Error:Printer halted. kill() called!"],
    "in two lines": ["Error:0", ": Extruder switched off. MAXTEMP triggered !", "Error:Printer halted. kill() called!"],
    "homing failed": ["Error:Homing Failed", "Error:Printer halted. kill() called!"],
    "power off on kill": ["Error:MINTEMP triggered", "//action:poweroff", "Error:Printer halted. kill() called!"],
    "double exclamation": ["!! Printer halted", "Error:Printer halted. kill() called!"],
}


@pytest.mark.parametrize("name", HALTS)
def test_a_halted_firmware_is_a_latched_fault(name, run):
    def halt(machine, raw, number, body):
        if number != 20:
            return None
        machine.killed = True
        machine.nozzle = machine.bed = 0.0
        return HALTS[name]

    outcome, _, events = run(halt)
    assert outcome.status is PrintStatus.FAILED
    assert outcome.heaters_off
    assert "stopped itself" in outcome.reason
    assert HALTS[name][0].removeprefix("Error:")[:8] in outcome.reason
    assert events[-1].data["to"] == State.HALTED


@pytest.mark.parametrize(
    "words", [["fatal: heater"], ["!! shutdown"], ["Error:0", ": Heated bed switched off. MAXTEMP"]]
)
def test_a_fault_without_a_kill_is_made_safe_by_the_host(words, run):
    outcome, machine, _ = run(at_line(20, *words))
    assert outcome.status is PrintStatus.FAILED
    assert machine.killed or machine.is_safe
    assert not outcome.heaters_off or machine.is_safe


def test_after_a_halt_the_next_print_says_that_nobody_answers(make_machine, make_printer, tmp_path, program_text):
    machine = make_machine()
    printer = make_printer(machine)
    path = tmp_path / "part.gcode"
    path.write_text(program_text)
    printer.connect()
    machine.killed = True
    with pytest.raises(LinkLost):
        printer.print_file(path)


def test_a_machine_that_complains_at_once_is_refused(make_machine, make_printer):
    machine = make_machine(script=lambda *_: ["Error:Heating failed, system stopped! Heater_ID: 0"])
    with pytest.raises(FirmwareHalted, match="reset the printer"):
        make_printer(machine).connect()


def test_a_locked_printer_refuses_the_job(make_machine, make_printer):
    machine = make_machine(script=lambda *_: ["echo:Printer locked! (Unlock with M511 or LCD)"])
    with pytest.raises(DeviceError, match="M511"):
        make_printer(machine).connect()


def test_the_last_hosts_line_counter_does_not_matter(run, program_text):
    outcome, machine, _ = run(last=4711)
    assert_whole(outcome, machine, program_text)
    assert outcome.resends == 0


# --- pauses, prompts and long commands ------------------------------------------------------------------------------


def test_filament_runout_pauses_and_marks_the_specimen(run, program_text):
    def run_out(machine, raw, number, body):
        if number != 20:
            return None
        machine.marlin(raw, number, body)
        return [
            "//action:prompt_begin FilamentRunout T0",
            "//action:prompt_show",
            "//action:paused filament_runout 0",
            "ok",
            "//action:resumed",
        ]

    outcome, machine, events = run(run_out)
    assert_whole(outcome, machine, program_text)
    assert "filament_runout" in kinds(outcome)
    states = [event.data["to"] for event in events if event.kind == "state"]
    assert states[states.index("paused") + 1] == "streaming"


@pytest.mark.parametrize("who", ["user", "input"])
def test_paused_for_a_person_has_no_time_out(who, run, program_text):
    outcome, machine, _ = run(at_line(20, *[f"echo:busy: paused for {who}"] * 30, "ok", execute=True))
    assert_whole(outcome, machine, program_text)


def test_the_machine_can_cancel(run):
    outcome, machine, _ = run(at_line(20, "//action:cancel", "ok", execute=True))
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.CANCELLED, True)
    assert machine.is_safe


def test_a_pause_that_lasts_too_long_is_ended(run):
    outcome, machine, _ = run(at_line(20, "//action:pause", "ok", execute=True))
    assert outcome.status is PrintStatus.FAILED
    assert "longest_pause_s" in outcome.reason
    assert machine.is_safe


def test_a_long_command_may_be_silent(run, program_text):
    """Heating without a word: the profile's time for it is what counts, not the time for a move."""
    seen = []

    def heat_late(machine, raw, number, body):
        if body.startswith("M109") and not seen:
            seen.append(raw)
            machine.marlin(raw, number, body)
            return []
        return None

    outcome, machine, _ = run(heat_late)
    assert_whole(outcome, machine, program_text)
    assert [fault for fault in outcome.faults if fault["fault"] == "probe"]  # asked once its time was up


# --- before anything is sent ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("G1 X1 \\ Y2", "stumbles"),
        ("G1 X" + "1" * 120, "characters long"),
        ("G1 X\xe9", "not G-code"),
        ("M112", "emergency stop"),
        ("M104 S9999", "above 260 C"),
        ("M190 S500", "above 110 C"),
        ("hello", "no G-code command"),
    ],
)
def test_what_firmware_chokes_on_is_refused_before_sending(line, reason, make_machine, make_printer, tmp_path):
    machine = make_machine()
    path = tmp_path / "bad.gcode"
    path.write_text(f"G28\n{line}\n", encoding="utf-8")
    with pytest.raises(ProgramError, match=reason):
        make_printer(machine).print_file(path)
    assert machine.received == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Error:Printer stopped due to errors. Fix the error and use M999 to restart", Kind.ERROR),
        ("Error:No Line Number with checksum, Last Line: 5", Kind.LINE_ERROR),
        ("echo:busy: paused for input", Kind.PAUSED),
        ("Resend:5", Kind.RESEND),
        ("echo:SD init fail", Kind.NOTE),
    ],
)
def test_kinds_of_replies(line, kind):
    assert parse(line).kind is kind
