from __future__ import annotations

import pytest

from toughopt.tomlplace import line_of

TEXT = """\
name = "a"
# budget = 3
family.name = "x"

[bed]
size_mm = [1.0, 2.0]

[[printers]]
name = "first"
profile = "virtual"

[[printers]]
name = "second"
options = { baud = 9600 }

[printers.extra]
"odd key" = 1
"""


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("name",), 1),
        (("family", "name"), 3),
        (("bed", "size_mm"), 6),
        (("bed", "size_mm", 1), 6),
        (("bed", "missing"), 5),
        (("printers", 0, "profile"), 10),
        (("printers", 1, "name"), 13),
        (("printers", 1, "profile"), 12),
        (("printers", 1, "options", "baud"), 14),
        (("printers", 1, "extra", "odd key"), 17),
        (("budget",), 0),
        ((), 0),
    ],
)
def test_a_key_is_found_on_its_line_or_its_table_is(location: tuple[str | int, ...], line: int) -> None:
    assert line_of(location, TEXT) == line
