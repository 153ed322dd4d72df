"""The settings of a quiet OctoPrint: no wizard, no network of its own, no plugin that a test has no use for."""

from typing import Any

DISABLED_PLUGINS = [
    "achievements",
    "announcements",
    "backup",
    "classicwebcam",
    "corewizard",
    "customcontrolmanager",
    "discovery",
    "errortracking",
    "eventmanager",
    "file_check",
    "firmware_check",
    "gcodeviewer",
    "health_check",
    "logging",
    "pi_support",
    "pluginmanager",
    "softwareupdate",
    "tracking",
    "uploadmanager",
]

PRINTER_PROFILE: dict[str, Any] = {
    "id": "_default",
    "name": "Default",
    "model": "A Virtual Printer as large as a Prusa MK3S",
    "volume": {"formFactor": "rectangular", "origin": "lowerleft", "width": 250.0, "depth": 210.0, "height": 210.0},
    "extruder": {"count": 1, "nozzleDiameter": 0.4, "offsets": [[0, 0]], "sharedNozzle": False},
}
"""The printer's size, by which a hub sees whether it is the model that its maker chose."""


def server_config(port: int, *, discoverable: bool = False) -> dict[str, Any]:
    """The content of config.yaml for a server on 127.0.0.1:`port` that connects to its Virtual Printer by itself."""
    disabled = [name for name in DISABLED_PLUGINS if name != "discovery" or not discoverable]
    return {
        "server": {
            "host": "127.0.0.1",
            "port": port,
            "firstRun": False,
            "secretKey": "only-for-tests",
            "seenWizards": {"corewizard": 4, "classicwebcam": 1, "tracking": None, "backup": None, "softwareupdate": 1},
            "onlineCheck": {"enabled": False},
            "pluginBlacklist": {"enabled": False},
            "pythonEolCheck": {"enabled": False},
            "ipCheck": {"enabled": False},
            "ignoreIncompleteStartup": True,
        },
        "accessControl": {"autologinLocal": False},
        "printerProfiles": {"default": "_default", "defaultProfile": PRINTER_PROFILE},
        "serial": {"port": "VIRTUAL", "baudrate": 115200, "autoconnect": True, "log": False},
        "webcam": {"webcamEnabled": False, "timelapseEnabled": False, "timelapse": {"type": "off"}},
        # The analysis of each upload runs in a process of its own and takes a core for seconds.
        "gcodeAnalysis": {"runAt": "never"},
        "plugins": {"_disabled": disabled, "virtual_printer": {"enabled": True}},
    }
