from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toughopt.errors import InputError, UnknownName
from toughopt.replay import Pool, pooled, read_table


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_equal_rows_become_replicates_of_one_design(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "n,kind,j\n6,a,1.0\n8,b,5.0\n6,a,3.0\n")
    pool = read_table(table, "j")
    assert pool.designs == ({"n": 6, "kind": "a"}, {"n": 8, "kind": "b"})
    assert pool.replicates == ((1.0, 3.0), (5.0,))
    assert pool.means.tolist() == [2.0, 5.0]


def test_only_the_named_columns_make_a_design(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "n,operator,j\n6,ann,1\n6,bob,3\n8,ann,2\n")
    assert len(read_table(table, "j", parameters=["n"]).designs) == 2


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("n,j\n6,1\n8,\n", InputError, r"line 3: j is missing; correct it, or take that row out"),
        ("n,j\n6,1\nnan,2\n", InputError, r"line 3: n = 'nan' is not a finite number"),
        ("n,j\n6,1\n8,nan\n", InputError, "line 3"),
        ("n,j\n6,1\n,2\n", InputError, "line 3: n is missing"),
        ("n,j\n", InputError, "no rows"),
        ("j\n6\n7\n", InputError, "at least one parameter"),
        ("n,j\n6,1\n6,2\n", InputError, "at least 2"),
        ("n,toughnes\n6,1\n8,2\n", UnknownName, "toughnes"),
    ],
)
def test_a_wrong_table_is_told_with_its_line(tmp_path: Path, text: str, error: type[Exception], said: str) -> None:
    objective = "toughness" if "toughnes" in text else "j"
    with pytest.raises(error, match=said):
        read_table(write(tmp_path / "t.csv", text), objective)


def test_the_best_are_those_with_the_best_means_in_either_direction() -> None:
    designs = [{"x": i} for i in range(40)]
    values = [float(i) for i in range(40)]
    assert pooled(designs, values, "j").best(0.05) == {38, 39}
    assert pooled(designs, values, "j", minimize=True).best(0.05) == {0, 1}


def test_the_published_table_is_600_designs_of_three_replicates(published: Path) -> None:
    pool: Pool = read_table(published / "crossed_barrel.csv", "toughness")
    assert len(pool.designs) == 600
    assert {len(values) for values in pool.replicates} == {3}
    best = pool.designs[int(np.argmax(pool.means))]
    assert best == {"n": 12, "theta": 150, "r": 1.9, "t": 1.4}
    assert pool.means.max() == pytest.approx(46.7, abs=0.05)


def test_of_an_exported_campaign_only_complete_experiments_count(tmp_path: Path) -> None:
    table = tmp_path / "export.csv"
    table.write_text("id,state,n,y\n1,complete,6,1.5\n2,proposed,8,\n3,complete,8,2.5\n4,failed,10,\n")
    pool = read_table(table, "y", parameters=["n"])
    assert pool.designs == ({"n": 6}, {"n": 8}) and pool.replicates == ((1.5,), (2.5,))


def test_an_export_needs_no_names_of_its_parameters(tmp_path: Path) -> None:
    head = "id,state,n,cell,toughness_j,peak_force_n,value,mass_g,excluded,blame,complete_utc\n"
    rows = "1,complete,6,bcc,1.5,90,1.5,2.0,False,,x\n2,proposed,8,fcc,,,,,False,,\n"
    rows += "3,complete,8,fcc,2.5,80,2.5,,False,,x\n4,complete,8,bcc,9.5,80,9.5,,True,,x\n"
    pool = read_table(write(tmp_path / "export.csv", head + rows), "toughness_j")
    assert pool.designs == ({"n": 6, "cell": "bcc"}, {"n": 8, "cell": "fcc"})
    assert pool.replicates == ((1.5,), (2.5,))
    told = "id,state,n,cell,value,excluded,blame,toughness_j\n1,complete,6,bcc,1.5,False,,1.5\n"
    told += "2,complete,8,bcc,2.5,False,,2.5\n"
    assert read_table(write(tmp_path / "told.csv", told), "toughness_j").designs[1] == {"n": 8, "cell": "bcc"}
