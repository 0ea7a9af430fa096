"""The paper's story runs: each notebook from its first cell to its last."""

from __future__ import annotations

from pathlib import Path

import pytest

_NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def executed(path: Path, folder: Path) -> int:
    """Run a notebook in a fresh kernel; returns how many of its cells were run."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute()
    return sum(cell.cell_type == "code" and cell.execution_count is not None for cell in notebook.cells)


@pytest.mark.full
@pytest.mark.parametrize("path", _NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_to_its_end(path: Path, tmp_path: Path) -> None:
    assert executed(path, tmp_path) >= 5


@pytest.mark.full
@pytest.mark.parametrize("path", [p for p in _NOTEBOOKS if p.stem[:2] in ("02", "04")], ids=lambda path: path.stem)
def test_it_falls_back_to_the_virtual_lab_without_the_published_data(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOUGHOPT_DATA", raising=False)
    assert executed(path, tmp_path) >= 5


def test_notebooks_are_kept_without_what_they_printed() -> None:
    import json

    assert len(_NOTEBOOKS) == 4
    for path in _NOTEBOOKS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") for cell in cells), path.name
