"""What an installed hub gets: a wheel with its pages, its catalogue and its printers, and every package it imports."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def tracked(*folders: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all files in a wheel built from what git tracks."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked():
        copy = source / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", built, source], check=True, capture_output=True)
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_wheel_has_every_file_of_the_package(wheel: set[str]) -> None:
    files = set(tracked("makerhub"))
    assert "makerhub/cli/__init__.py" in files
    assert files <= wheel


def test_wheel_has_the_catalogue_and_the_printers(wheel: set[str]) -> None:
    prefix = f"makerhub-{PROJECT['version']}.data/data/share/makerhub/"
    files = tracked("designs", "printers")
    assert any(name.startswith("printers/") for name in files)
    assert {prefix + name for name in files} <= wheel


def test_wheel_has_a_compiled_catalogue_for_each_translation(wheel: set[str]) -> None:
    compiled = {re.sub(r"\.po$", ".mo", name) for name in tracked("makerhub") if name.endswith(".po")}
    assert compiled <= wheel


def test_wheel_carries_no_leftovers_and_no_tests(wheel: set[str]) -> None:
    assert not [name for name in wheel if name.endswith(".pyc") or name.startswith(("tests/", "benchmarks/"))]


def imported_modules() -> set[str]:
    trees = [ast.parse((ROOT / name).read_text()) for name in tracked("makerhub") if name.endswith(".py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
    return {name.split(".")[0] for name in plain | named} - set(sys.stdlib_module_names) - {"makerhub"}


def normal(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement)[0]).lower()


def test_every_package_that_is_imported_is_declared() -> None:
    """Nothing may lean on a package that only happens to come with another."""
    declared = {normal(requirement) for requirement in PROJECT["dependencies"]}
    providers = packages_distributions()
    undeclared = {
        module
        for module in imported_modules()
        if not {normal(name) for name in providers.get(module, [module])} & declared
    }
    assert not undeclared
