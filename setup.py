"""What pyproject.toml can not say: compile the translations, and carry the catalogue and the printer profiles along."""

from collections.abc import Sequence
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("designs", "printers")
TRANSLATIONS = Path("makerhub/web/translations")


class BuildWithTranslations(build_py):
    """Compile every catalogue beside its source before the package data is collected."""

    def run(self) -> None:
        """Write a `.mo` for each `.po`, then build as usual."""
        for source in TRANSLATIONS.rglob("*.po"):
            with source.open("rb") as texts, source.with_suffix(".mo").open("wb") as compiled:
                write_mo(compiled, read_po(texts))
        super().run()


def shipped_files() -> list[tuple[str, Sequence[str]]]:
    """Return, for each shipped folder, where it goes under the installation's prefix and which files it has."""
    folders = [path for name in SHIPPED for path in (Path(name), *Path(name).rglob("*")) if path.is_dir()]
    return [(f"share/makerhub/{folder}", files) for folder in folders if (files := files_in(folder))]


def files_in(folder: Path) -> list[str]:
    """Return the files right in `folder`, without what Python leaves behind."""
    return sorted(str(path) for path in folder.iterdir() if path.is_file() and path.suffix != ".pyc")


setup(data_files=shipped_files(), cmdclass={"build_py": BuildWithTranslations})
