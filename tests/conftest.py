"""What all tests share: published data where they are, and parts that may be absent."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
# tests that were started in the background begin with these ignored, and so would every process that they start
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Figures are compared with their reference images wherever pytest-mpl is there."""
    config.addinivalue_line("markers", "mpl_image_compare: the figure returned is compared with a reference image")
    if hasattr(config.option, "mpl"):
        config.option.mpl = True


@pytest.fixture(scope="session")
def need() -> Callable[[str, bool], None]:
    """`need(part, there)` skips where an optional part is absent, or fails where TOUGHOPT_REQUIRE lists it."""
    required = {name.strip() for name in os.environ.get("TOUGHOPT_REQUIRE", "").split(",") if name.strip()}

    def check(part: str, there: bool) -> None:
        if there:
            return
        if part in required:
            pytest.fail(f"{part} is required here, but it is not there")
        pytest.skip(f"{part} is not there")

    return check


@pytest.fixture(scope="session")
def published(need: Callable[[str, bool], None]) -> Path:
    """The folder of the published measurements, which TOUGHOPT_DATA names."""
    folder = Path(os.environ.get("TOUGHOPT_DATA") or "nowhere")
    need("published-data", (folder / "crossed_barrel.csv").is_file())
    return folder


class PostgresCluster:
    """A throw-away PostgreSQL server on the loopback, run by an unprivileged user; gone when the tests end."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._password = secrets.token_hex(16)
        self._port = 0
        # PostgreSQL refuses to be run by root: then its own user runs it, or else nobody.
        self._as: dict[str, Any] = {"cwd": folder}
        if os.geteuid() == 0:
            import pwd

            known = {entry.pw_name: entry for entry in pwd.getpwall()}
            owner = known.get("postgres") or known["nobody"]
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            self._as |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def start(self) -> None:
        """Make the cluster's files and start the server; returns when it answers."""
        secret = self._folder / "password"
        secret.write_text(self._password, encoding="utf-8")
        secret.chmod(0o644)
        self._run(
            "initdb", "-D", "data", "-U", "toughopt", "-A", "scram-sha-256", "--pwfile=password", "-N", "-E", "UTF8"
        )
        self.restart()

    def restart(self) -> None:
        """Start the server, again where it was stopped."""
        if not self._port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self._port = probe.getsockname()[1]
        options = (
            f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} -c fsync=off"
        )
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once, as a crash of its PC would."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All of its processes stand still until the block ends, while TCP goes on acknowledging in their names."""
        server = int((self._folder / "data/postmaster.pid").read_text().split()[0])
        halted = [server]
        try:
            os.kill(server, signal.SIGSTOP)  # first, so that it makes no more of them
            # not by their times of birth: a clock that is set moves these
            told = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
            halted += [
                pid for pid, parent in (map(int, line.split()) for line in told.splitlines()) if parent == server
            ]
            for pid in halted[1:]:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in reversed(halted):
                os.kill(pid, signal.SIGCONT)

    def url(self, database: str = "postgres") -> str:
        """Where a database of it is."""
        return f"postgresql://toughopt:{self._password}@127.0.0.1:{self._port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            **self._as,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # not a pipe: the server would inherit it, and reading it would never end
            stderr=(self._folder / "errors").open("wb"),
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            log = self._folder / "log"
            said = (self._folder / "errors").read_text(errors="replace")
            pytest.fail(f"{program} failed: {said}\n{log.read_text(errors='replace') if log.exists() else ''}")


@pytest.fixture(scope="session")
def postgres_cluster(need: Callable[[str, bool], None]) -> Iterator[PostgresCluster]:
    """A running PostgreSQL server of Debian's packages; for tests marked `full`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    need("postgresql", bool(found) and find_spec("psycopg") is not None)
    # Not under pytest's own folder, which only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="toughopt-postgres-"))
    cluster = PostgresCluster(found[-1].parent, folder)
    try:
        cluster.start()
        yield cluster
        cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """The URL of a new, empty database; for tests marked `full`."""
    import psycopg
    from psycopg import sql

    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_cluster.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield postgres_cluster.url(name)
    with psycopg.connect(postgres_cluster.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
