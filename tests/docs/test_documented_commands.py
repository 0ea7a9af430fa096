"""Every command and every Python block in the documentation runs as it is printed.

Blocks of a page run in order, in one temporary folder. A page that begins with `<!-- after: tour.md -->` begins with a
copy of the folder which that page leaves. A block after `<!-- hardware -->` needs a machine: its commands are only
parsed. One after `<!-- elsewhere -->` is run by other means, such as `make run`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from toughopt.cli import group

ROOT = Path(__file__).parent.parent.parent
AFTER = re.compile(r"\A<!-- after: ([\w.-]+) -->")
SHELLS = ("sh", "bash", "console")


def pages_that_run() -> list[Path]:
    candidates = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in candidates if re.search(r"^```(sh|bash|python)", page.read_text("utf-8"), re.MULTILINE)]


def run_page(page: Path, blocks: list, folder: Path) -> None:  # type: ignore[type-arg]
    """Run the blocks of `page` in `folder`; fails with the first that does not end well."""
    home = folder / ".home"
    home.mkdir(exist_ok=True)
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": tools, "HOME": str(home), "LANG": "C.UTF-8", "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    for block in blocks:
        if block.page != page or block.mark or block.language not in (*SHELLS, "python"):
            continue
        if block.language == "python":
            command = [sys.executable, "-c", block.text]
        else:
            command = ["bash", "-euo", "pipefail", "-c", block.text]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode == 0, (
            f"{block} ended with {done.returncode}:\n{block.text}\n{done.stdout}\n{done.stderr}"
        )


@pytest.fixture(scope="session")
def left_by(tmp_path_factory: pytest.TempPathFactory, blocks: list) -> dict[str, Path]:  # type: ignore[type-arg]
    """Folders that pages leave, by page; each page on which others build is run once."""
    found: dict[str, Path] = {}
    for page in pages_that_run():
        if (named := AFTER.match(page.read_text("utf-8"))) and named[1] not in found:
            found[named[1]] = tmp_path_factory.mktemp("before")
            run_page(ROOT / "docs" / named[1], blocks, found[named[1]])
    return found


@pytest.mark.full
@pytest.mark.timeout(280)
@pytest.mark.skipif(shutil.which("bash") is None, reason="the printed commands are for a POSIX shell")
@pytest.mark.parametrize("page", pages_that_run(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_the_page_runs_as_printed(
    page: Path,
    blocks: list,  # type: ignore[type-arg]
    left_by: dict[str, Path],
    tmp_path: Path,
) -> None:
    if page.name in left_by and page.parent.name == "docs":
        return  # it has run already, as the fixture
    folder = tmp_path / "here"
    named = AFTER.match(page.read_text("utf-8"))
    if named:
        shutil.copytree(left_by[named[1]], folder)
    else:
        folder.mkdir()
    run_page(page, blocks, folder)


def test_commands_that_are_not_run_name_what_there_is(blocks: list) -> None:  # type: ignore[type-arg]
    seen = 0
    for block in blocks:
        if block.language not in SHELLS:
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if not words or Path(words[0]).name != "toughopt":
                continue
            seen += 1
            _parsed(block, words[1:])
    assert seen > 30


def _parsed(block: object, words: list[str]) -> None:
    stop = next((i for i, word in enumerate(words) if word in (">", "&", "|", "<")), len(words))
    words = words[:stop]
    if words[0].startswith("-"):
        return
    command = group.get_command(click.Context(group), words[0])
    assert command is not None, f"{block}: there is no command {words[0]!r}"
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for word in words[1:]:
        if word.startswith("-") and not re.fullmatch(r"-\d.*", word):
            name = word.partition("=")[0]
            assert name in options | {"--help", "-h"}, f"{block}: {words[0]} has no option {name}"


def test_every_command_is_documented_somewhere(pages: list[Path]) -> None:
    text = "\n".join(page.read_text("utf-8") for page in pages)
    missing = [name for name in group.list_commands(click.Context(group)) if f"toughopt {name}" not in text]
    assert not missing, f"no page shows {', '.join(missing)}"
