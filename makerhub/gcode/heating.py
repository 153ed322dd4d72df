"""What a file makes of the heaters: targets, peaks, waits, and when the nozzle was waited for until plastic melts."""

from collections.abc import Sequence
from typing import Final

from makerhub.gcode.columns import Flags, held
from makerhub.gcode.commands import MELTING_CELSIUS, Command, dwell_seconds, target_celsius
from makerhub.gcode.summary import Target

_HEATERS: Final = frozenset({"G4", "M104", "M109", "M140", "M190"})


class Heating:
    """Follows the heaters through a file; every nozzle is cold until `M109` has waited for it."""

    def __init__(self) -> None:
        self.targets: dict[str, Target] = {}
        self.nozzle_peak = self.bed_peak = 0.0
        self.dwell_seconds = 0.0
        self._tool = 0
        self._molten: set[int] = set()

    def follow(self, commands: Sequence[tuple[int, Command]], first_line: int, lines: int) -> Flags:
        """Obey the commands of the next lines, given by row; return at which lines the chosen nozzle may feed."""
        before = self._tool in self._molten
        changes = []
        for row, command in commands:
            if command.name in _HEATERS or command.name[0] == "T":
                self._obey(command, first_line + row)
                changes.append((row, self._tool in self._molten))
        return held(before, changes, lines)

    def _obey(self, command: Command, line: int) -> None:
        match command.name:
            case "G4":
                self.dwell_seconds += dwell_seconds(command)
            case "M104" | "M109":
                self._heat_nozzle(command, line)
            case "M140" | "M190":
                celsius = target_celsius(command)
                self.targets["bed"] = Target(celsius, line)
                self.bed_peak = max(self.bed_peak, celsius)
            case name if name.startswith("T"):
                self._tool = int(name[1:])

    def _heat_nozzle(self, command: Command, line: int) -> None:
        celsius, given = target_celsius(command), command.words.get("T")
        tool = self._tool if given is None else int(given)
        self.targets[f"nozzle {tool}"] = Target(celsius, line)
        self.nozzle_peak = max(self.nozzle_peak, celsius)
        if celsius < MELTING_CELSIUS:
            self._molten.discard(tool)
        elif command.name == "M109":
            self._molten.add(tool)
