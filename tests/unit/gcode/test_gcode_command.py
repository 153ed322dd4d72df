"""`makerhub gcode check`: what it says, and the code with which it ends."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from makerhub.cli import main
from makerhub.gcode import guard

SAFE = "G28\nG1 X10 Y10 F3000\nM84\n"


def check(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["gcode", "check", *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "print.gcode"


def test_a_safe_file_is_called_so(file: Path) -> None:
    file.write_text(SAFE)
    answer = check(file, "--printer", "prusa-mk3s")
    assert (answer.exit_code, answer.output) == (0, "safe\n")


def test_what_is_wrong_is_said_with_its_line(file: Path) -> None:
    file.write_text(SAFE + "M112\nG1 X900\n")
    answer = check(file, "--printer", "prusa-mk3s")
    assert answer.exit_code == 1
    assert f"{file}:4: This command is not on the list of allowed commands. M112\n" in answer.output
    assert f"{file}:5: " in answer.output
    assert answer.output.endswith("not safe, findings: 2\n")


def test_a_program_gets_json(file: Path) -> None:
    file.write_text("M112\n")
    answer = check(file, "--printer", "prusa-mk3s", "--json")
    assert json.loads(answer.output) == {
        "safe": False,
        "findings": [{"line": 1, "excerpt": "M112", "reason": "unknown-command"}],
    }


def test_an_unknown_printer_is_answered_with_those_that_there_are(file: Path) -> None:
    file.write_text(SAFE)
    answer = check(file, "--printer", "prusa-mk99")
    assert answer.exit_code == 2
    assert "There is no profile “prusa-mk99”. There are: " in answer.output
    assert "prusa-mk3s" in answer.output


def test_a_huge_file_is_not_read_to_its_end(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAX_BYTES", 10)
    file.write_text(SAFE)
    assert "not safe, findings: 1" in check(file, "--printer", "prusa-mk3s").output
