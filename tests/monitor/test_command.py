"""The command itself, as a process: what it prints, how it ends, and what it refuses."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest


def test_the_monitor_prints_where_it_is_once_and_ends_on_ctrl_c(
    make_campaign: Callable[..., Path], tmp_path: Path
) -> None:
    folder, token = make_campaign(tmp_path / "c", 1), tmp_path / "token"
    arguments = ["monitor", str(folder), "--port", "0", "--token-file", str(token)]
    flags = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if sys.platform == "win32" else {}
    running = subprocess.Popen(
        [sys.executable, "-m", "toughopt", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **flags,
    )
    try:
        assert running.stderr is not None
        reading, steering = running.stderr.readline(), running.stderr.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", reading)
        assert address is not None
        secret = token.read_text(encoding="utf-8").strip()
        assert steering.strip().endswith(f"/sign-in#{secret}")
        if os.name == "posix":
            assert token.stat().st_mode & 0o077 == 0
        with urllib.request.urlopen(address[0] + "/", timeout=30) as page:
            text = page.read().decode()
        assert "by hand" in text and secret not in text
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(urllib.request.Request(address[0] + "/ctl/pause", data=b"{}"), timeout=30)
        assert answer.value.code == 403
        hurry = socket.create_connection(("127.0.0.1", int(address[0].rpartition(":")[2])))
        hurry.sendall(f"GET /figures/parity.svg HTTP/1.1\r\nHost: {address[0][7:]}\r\n\r\n".encode())
        running.send_signal(signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGINT)
        assert running.wait(200) == (running.returncode if sys.platform == "win32" else 130)
    finally:
        if running.poll() is None:
            running.kill()
        _, rest = running.communicate()
    hurry.close()
    assert "Traceback" not in rest


def refused(*arguments: str) -> tuple[int, str]:
    """Exit code and message of a monitor that does not start."""
    command = [sys.executable, "-m", "toughopt", "monitor", *arguments, "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stderr


def test_no_campaign_is_bad_input(tmp_path: Path) -> None:
    code, words = refused(str(tmp_path / "nothing"))
    assert code == 2 and "toughopt new" in words


def test_a_file_without_a_token_is_refused(make_campaign: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("short")
    code, words = refused(str(make_campaign(tmp_path / "c", 0)), "--token-file", str(tmp_path / "token"))
    assert code == 2 and "16 characters" in words
