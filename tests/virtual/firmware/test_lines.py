from __future__ import annotations

import pytest

from toughopt.virtual.firmware.lines import LineReader, Reading


@pytest.fixture
def reader() -> LineReader:
    return LineReader(128, 96, emergency_parser=True, number_with_checksum=False)


def test_a_line_with_number_and_checksum_is_accepted_and_counted(reader, numbered):
    reader.receive(numbered(1, "G28"))
    assert reader.next() == (1, "G28")
    assert reader.last_number == 1
    assert reader.next() is Reading.NOTHING


@pytest.mark.parametrize("piece", [1, 2, 5])
def test_lines_may_come_in_pieces(reader, numbered, piece):
    data = numbered(1, "G1 X1") + numbered(2, "G1 X2")
    found = []
    for at in range(0, len(data), piece):
        reader.receive(data[at : at + piece])
        while isinstance(line := reader.next(), tuple):
            found.append(line[0])
    assert found == [1, 2]


def test_a_wrong_checksum_asks_for_the_line_again(reader, numbered):
    reader.receive(numbered(1, "G28").replace(b"G28", b"G29"))
    assert reader.next() is Reading.REJECTED
    assert reader.complaint == "Error:checksum mismatch, Last Line: 0\nResend: 1\nok\n"


def test_a_gap_in_the_numbers_asks_for_the_first_that_is_missing(reader, numbered):
    reader.receive(numbered(1, "G28"))
    reader.next()
    reader.receive(numbered(3, "G28"))
    assert reader.next() is Reading.REJECTED
    assert reader.complaint.startswith("Error:Line Number is not Last Line Number+1, Last Line: 1\nResend: 2\n")


def test_a_number_without_a_checksum_is_refused(reader):
    reader.receive(b"N1 G28\n")
    assert reader.next() is Reading.REJECTED
    assert "No Checksum with line number" in reader.complaint


def test_an_error_flushes_the_buffer_in_mid_line_and_the_tail_becomes_a_command_of_its_own(reader, numbered):
    bad, following = numbered(5, "G1 X1"), numbered(2, "G1 X20 Y30")
    reader.receive(bad + following[:9])
    assert reader.next() is Reading.REJECTED
    reader.receive(following[9:])
    assert reader.next() == (None, "Y30")


def test_what_the_buffer_cannot_hold_is_lost(reader):
    reader.receive(b"M117 " + b"a" * 60 + b"\n" + b"M117 " + b"b" * 60 + b"\n" + b"M117 c\n")
    assert isinstance(reader.next(), tuple)
    assert reader.next() is Reading.NOTHING
    assert reader.dropped_bytes == 139 - 127


@pytest.mark.parametrize("text", ["G1 X1 ;up", "G1 X\\1", "G1 " + "X1" * 60])
def test_comments_backslashes_and_overlong_lines_break_a_checksum_without_end(reader, numbered, text):
    for _ in range(3):
        reader.receive(numbered(1, text))
        assert reader.next() is Reading.REJECTED
        assert "Resend: 1\n" in reader.complaint


def test_without_a_number_a_comment_is_cut_off(reader):
    reader.receive(b"G1 X1 ; up\n;nothing\n\nG28\n")
    assert reader.next() == (None, "G1 X1")
    assert reader.next() == (None, "G28")
    assert reader.next() is Reading.NOTHING


def test_an_empty_line_completes_a_line_without_newline_and_draws_no_reply(reader, numbered):
    reader.receive(numbered(1, "M400").rstrip(b"\n"))
    assert reader.next() is Reading.NOTHING
    reader.receive(b"\n")
    assert reader.next() == (1, "M400")


def test_a_lost_newline_between_two_lines_is_a_checksum_error(reader, numbered):
    reader.receive(numbered(1, "G1 X1").rstrip(b"\n") + numbered(2, "G1 X2"))
    assert reader.next() is Reading.REJECTED
    assert "checksum mismatch" in reader.complaint


def test_swapped_bytes_pass_the_checksum(reader, numbered):
    reader.receive(numbered(1, "G1 E21").replace(b"E21", b"E12"))
    line = reader.next()
    assert isinstance(line, tuple)
    assert "E12" in line[1]


def test_a_line_number_can_be_set_from_anywhere(reader, numbered):
    reader.receive(numbered(0, "M110 N0"))
    assert isinstance(reader.next(), tuple)
    reader.receive(numbered(700, "M110 N41"))
    assert isinstance(reader.next(), tuple)
    assert reader.last_number == 41


def test_carriage_returns_end_lines_too(reader):
    reader.receive(b"G28\r\nM105\r")
    assert reader.next() == (None, "G28")
    assert reader.next() == (None, "M105")


def test_bytes_that_are_no_text_do_not_stop_it(reader):
    reader.receive(b"\xff\xfe\x00\n")
    assert reader.next() == (None, "\xff\xfe")


@pytest.mark.parametrize("line", [b"M112\n", b"N7 M112*35\n", b"  M112 now\n", b"\rM112\n"])
def test_urgent_commands_are_seen_as_they_arrive(reader, line):
    assert reader.receive(line) == ["M112"]


def test_a_partial_line_ahead_of_an_urgent_command_swallows_it(reader):
    assert reader.receive(b"G1 X1") == []
    assert reader.receive(b"M112\n") == []
    assert reader.receive(b"\nM112\n") == ["M112"]


def test_urgent_commands_get_through_when_the_buffer_is_full(reader):
    reader.receive(b"x" * 127)
    assert reader.receive(b"\nM112\n") == ["M112"]


def test_without_emergency_parser_nothing_is_urgent():
    reader = LineReader(128, 96, emergency_parser=False, number_with_checksum=False)
    assert reader.receive(b"M112\n") == []


def test_early_firmware_answers_a_checksum_without_number_with_an_error_and_nothing_more():
    reader = LineReader(128, 96, emergency_parser=True, number_with_checksum=True)
    reader.receive(b"G28*18\n")
    assert reader.next() is Reading.REJECTED
    assert reader.complaint == "Error:No Line Number with checksum, Last Line: 0\n"


def test_a_line_without_end_takes_no_memory_without_end(reader):
    for _ in range(1000):
        reader.receive(b"x" * 100)
        assert reader.next() is Reading.NOTHING
    reader.receive(b"\n")
    line = reader.next()
    assert isinstance(line, tuple)
    assert len(line[1]) == 95


def test_later_firmware_passes_over_the_last_two_lines_in_silence(numbered):
    reader = LineReader(128, 96, emergency_parser=False, number_with_checksum=False, skip_repeated=True)
    for number in (1, 2, 3):
        reader.receive(numbered(number, "G28"))
        reader.next()
    for number in (2, 3):
        reader.receive(numbered(number, "G28"))
        assert reader.next() is Reading.NOTHING
    reader.receive(numbered(1, "G28"))
    assert reader.next() is Reading.REJECTED
    reader.receive(numbered(3, "G28") + numbered(4, "G28"))
    assert reader.next() == (4, "G28")
    assert reader.last_number == 4


@pytest.mark.parametrize("reset", [b"M110 N0\n", b"N-1 M110*15\n", b"N0 M110 N0*125\n", b"N0 M110*35\n"])
def test_the_ways_in_which_hosts_set_the_number(reader, numbered, reset):
    reader.receive(numbered(1, "G28"))
    reader.next()
    reader.receive(reset)
    number, command = reader.next()
    assert command.startswith("M110")
    if number is not None:
        assert reader.last_number == number
