"""docs/architecture.md tells the truth: its tree and its stairs are those of the code."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


def block_after(heading: str) -> list[str]:
    """The lines of the first indented block after `heading`, without their indent."""
    rest = PAGE.split(heading, 1)[1]
    found = re.search(r"(?:^    .*\n)+", rest, flags=re.MULTILINE)
    assert found, heading
    return [line.removeprefix("    ") for line in found[0].splitlines()]


def rooms_in_the_code() -> set[str]:
    package = ROOT / "makerhub"
    modules = {path.name for path in package.glob("*.py") if path.name != "__init__.py"}
    return modules | {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}


def test_tree_lists_every_room_and_no_other() -> None:
    top, *rest = block_after("## The tree")
    assert top == "makerhub/"
    assert {line.split()[0] for line in rest} == rooms_in_the_code()


def test_stairs_are_those_that_import_linter_checks() -> None:
    (layers,) = [c["layers"] for c in PYPROJECT["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    built = [re.sub(r" ?\|? ?\([a-z]+\)", "", layer) for layer in layers]
    assert block_after("<!-- stairs -->") == [layer for layer in built if layer]


@pytest.mark.parametrize(
    "page", sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=str
)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall((ROOT / page).read_text())
    assert [target for target in targets if not (ROOT / page.parent / target).exists()] == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs/decisions"
    listed = LINK.findall((folder / "README.md").read_text())
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_every_library_has_its_reason() -> None:
    reasons = re.findall(r"^\| ([a-z0-9-]+) \|", (ROOT / "docs/decisions/0002-libraries.md").read_text(), re.MULTILINE)
    wanted = [re.split(r"[^a-z0-9-]", requirement)[0] for requirement in PYPROJECT["project"]["dependencies"]]
    assert reasons == wanted


@pytest.mark.parametrize(
    "path",
    re.findall(r"`([a-z_]+/[a-z_]+\.py)`", PAGE + (ROOT / "docs/decisions/0001-octoprint-client.md").read_text()),
)
def test_modules_that_are_named_exist(path: str) -> None:
    assert (ROOT / "makerhub" / path).is_file()
