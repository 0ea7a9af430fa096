from __future__ import annotations

import pytest

from toughopt.report.redaction import without_secrets


@pytest.mark.parametrize(
    "line",
    [
        '[notify]\nurl = "https://hooks.example/T0/B0/hunter2"',
        'notify.url = "https://hooks.example/hunter2"',
        'notify = { url = "https://hooks.example/hunter2", format = "slack" }',
        'api_key = "hunter2"',
        "[[printers]]\n  apikey='hunter2'",
        'url = "octoprint+http://hunter2@printer.local:5000"',
        'url = "octoprint+http://printer.local/?apikey=hunter2&x=1"',
        '[store]\nurl = "postgresql://me:hunter2@db/lab"',
        'scale = { kind = "x", token = "hunter2" }',
        'Password = "hunter2" # mine',
    ],
)
def test_secrets_are_left_out(line: str) -> None:
    told = without_secrets(f'name = "c"\n{line}\n')
    assert "hunter2" not in told and "(left out)" in told


def test_everything_else_stays_word_for_word() -> None:
    text = 'name = "keys"\n# a comment\n[[printers]]\nname = "p"\nurl = "/dev/ttyUSB0"\n[optimizer]\nseed = 1'
    assert without_secrets(text) == text
