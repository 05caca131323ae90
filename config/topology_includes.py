"""The topology's text: one file, and the files that it includes.

An included file is named relative to the file that includes it and lies in the main file's folder or below, so that a
topology can be copied, mounted and reviewed as one folder. Absolute paths and ways out of the folder are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.topology_faults import TopologyFault
from config.yaml_tree import Node, YamlFault, read_yaml

MAX_FILE_BYTES = 1_000_000
MAX_FILES = 500
MAX_INCLUDE_DEPTH = 5


@dataclass(frozen=True)
class TopologyText:
    """One file that was read; ``file`` is its name as faults and positions show it."""

    file: str
    root: Node


class TextReader:
    """Reads the main file and what it includes; what cannot be read becomes a fault, and the rest is still read."""

    def __init__(self, main: Path) -> None:
        self.texts: list[TopologyText] = []
        self.faults: list[TopologyFault] = []
        self._main = main
        self._folder = main.resolve().parent
        self._seen: dict[Path, str] = {}
        self._read(main, chain=())

    def _fault(self, file: str, line: int, path: str, reason: str, mend: str) -> None:
        self.faults.append(TopologyFault(file, line, path, reason, mend))

    def _read(self, path: Path, chain: tuple[Path, ...]) -> None:
        self._seen[path.resolve()] = str(path)
        try:
            root = read_yaml(read_text(path))
        except YamlFault as fault:
            self._fault(str(path), fault.line, "", fault.reason, fault.mend)
            return
        if root.children is None or root.is_list:
            self._fault(str(path), root.line, "", "the file is no block of keys", "begin it with `version: 1`")
            return
        self.texts.append(TopologyText(str(path), root))
        self._include(path, root, (*chain, path.resolve()))

    def _include(self, path: Path, root: Node, chain: tuple[Path, ...]) -> None:
        include = (root.children or {}).get("include")
        if include is None:
            return
        line = root.lines["include"]
        if not include.is_list:
            self._fault(str(path), line, "include", "this should be a list", "write include: [plants/p100.yaml]")
            return
        if len(chain) > MAX_INCLUDE_DEPTH:
            reason = f"files include files more than {MAX_INCLUDE_DEPTH} deep"
            self._fault(str(path), line, "include", reason, "include them from the main file")
            return
        for index, child in enumerate((include.children or {}).values()):
            self._include_one(path, child, f"include.{index}", chain)

    def _include_one(self, path: Path, node: Node, place: str, chain: tuple[Path, ...]) -> None:
        if not isinstance(node.value, str) or not node.value.strip():
            self._fault(str(path), node.line, place, "this is no file name", "write for example plants/p100.yaml")
            return
        for found in self._matches(path, node.value):
            try:
                problem = self._objection(found, chain)
            except (OSError, ValueError, RuntimeError):
                problem = "no file can have this name, or its links go round in a circle", "mend the name"
            if problem:
                self._fault(str(path), node.line, place, *problem)
            else:
                self._read(found, chain)

    def _matches(self, path: Path, name: str) -> Iterator[Path]:
        """The one file of that name, or every file that a pattern such as ``plants/*.yaml`` matches, by name."""
        is_pattern = "*" in name and "**" not in name and ".." not in name and "\0" not in name
        if is_pattern and not Path(name).is_absolute():
            found = sorted(path.parent.glob(name))
            if found:
                yield from found
                return
        yield path.parent / name

    def _objection(self, path: Path, chain: tuple[Path, ...]) -> tuple[str, str] | None:
        name, resolved = path.name, path.resolve()
        if not resolved.is_relative_to(self._folder):
            return f"{name!r} lies outside the topology's folder", "move it beside the main file or below"
        if resolved in chain:
            return f"{name!r} includes itself by this", "remove the line"
        if resolved in self._seen:
            return f"{name!r} is included a second time", "keep one of the two"
        if not path.is_file():
            return f"there is no file {name!r} here", "mend the name; it is relative to this file"
        if len(self._seen) >= MAX_FILES:
            return f"more than {MAX_FILES} files are included", "put several plants into one file"
        return None


def read_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise YamlFault(1, f"the file cannot be read ({error.strerror})", "mend its path or its rights") from None
    if len(raw) > MAX_FILE_BYTES:
        raise YamlFault(1, f"the file is larger than {MAX_FILE_BYTES:,} bytes", "split it by `include`")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise YamlFault(line, "the file is not UTF-8 here", "save it as UTF-8") from None
