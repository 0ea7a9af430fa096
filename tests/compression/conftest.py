"""Made files, made curves, and the folder of published ones."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from toughopt.compression import Curve

HERE = Path(__file__).parent


def _load(name: str, path: Path) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`layout` runs over every layout of `layouts.py`, `maker` over every one of `makers.py`."""
    if "maker" in metafunc.fixturenames:
        metafunc.parametrize("maker", list(_load("compression_makers", HERE / "makers.py").MAKERS))
    if "layout" in metafunc.fixturenames:
        metafunc.parametrize("layout", list(_load("compression_layouts", HERE / "layouts.py").LAYOUTS))


@pytest.fixture(scope="session")
def layouts() -> ModuleType:
    """The module that makes files."""
    return _load("compression_layouts", HERE / "layouts.py")


@pytest.fixture(scope="session")
def makers() -> ModuleType:
    """The module that makes yet other makers' files."""
    return _load("compression_makers", HERE / "makers.py")


@pytest.fixture(scope="session")
def fuzz() -> ModuleType:
    """The module that damages files."""
    return _load("compression_fuzz", HERE.parents[1] / "benchmarks" / "curve_fuzz.py")


@pytest.fixture(scope="session")
def cases() -> ModuleType:
    """The module that makes analytic curves with their exact toughness."""
    return _load("compression_cases", HERE.parents[1] / "benchmarks" / "curves.py")


@pytest.fixture
def published(published: Path) -> Path:
    """The folder of other people's files."""
    return published / "curves"


@pytest.fixture
def crushed() -> Curve:
    """Slack of 0.5 mm, 1000 N/mm up to 1000 N, level to 10 mm after contact, then a rise; no noise."""
    d = np.linspace(-0.5, 12.0, 1251)
    force = np.minimum(np.maximum(d, 0.0) * 1000.0, 1000.0) + 500.0 * np.maximum(d - 10.0, 0.0) ** 2
    return Curve(d + 0.5, force, np.arange(d.size) * 0.1, specimen="made")
