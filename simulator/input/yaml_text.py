"""YAML that a user writes, read as it looks: 15:00 is text and not 900, ON is text and not true, a key stands once, every node has a line.

PyYAML reads YAML 1.1, whose implicit types surprise; the loader here knows those of YAML 1.2's core schema alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator
from yaml._yaml import CParser
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from meters.errors import UserError
from simulator.input.whole_text import whole_text

#: Where a value stands: keys of mappings and places in lists, from 0 on.
Loc = tuple[str | int, ...]

#: Values of a document with what each alias stands for; a default of this project.
MOST_VALUES = 1_000_000

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:00)?")


class YamlProblem(Exception):  # noqa: N818 (each room turns it into its own error)
    """A text that is no YAML. ``place``: what it was called, with the line if it is known."""

    def __init__(self, problem: str, place: str) -> None:
        """Keep what is wrong and where."""
        super().__init__(problem, place)
        self.problem = problem
        self.place = place


class UnreadableFile(YamlProblem):
    """A file that cannot be opened, or holds no text."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in what a user wrote: a stable code, where, a sentence, the mend."""

    code: str
    loc: Loc
    message: str
    mend: str = ""

    def under(self, loc: Loc) -> Mistake:
        """The same mistake, told from further outside."""
        return Mistake(self.code, (*loc, *self.loc), self.message, self.mend)


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """What a text holds, and where each of its values stands. ``root`` is None for values that come from no text."""

    place: str
    value: Any
    root: yaml.Node | None = None
    text: str = ""
    #: Of each mapping that was looked into, by its id: a text may have thousands of keys in one, and a mistake at each.
    _pairs: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def where(self, loc: Loc) -> str:
        """``file:line: field``, as far as it is known; entries of lists are counted from 1."""
        line = self.line(loc) if loc else None
        place = self.place if line is None else f"{self.place}:{line}"
        return f"{place}: {field_name(loc)}" if loc else place

    def line(self, loc: Loc) -> int | None:
        """Line of a value, or of the nearest one around it."""
        mark = self.mark(loc)
        return None if mark is None else mark.line + 1

    def mark(self, loc: Loc) -> yaml.Mark | None:
        """Where a value begins, or the nearest one around it; lines and columns from 0 on."""
        node, found = self.root, self.root
        for part in loc:
            match node:
                case yaml.MappingNode():
                    pair = self._pairs_of(node).get(str(part))
                    if pair is None:
                        break
                    found, node = pair
                case yaml.SequenceNode() if isinstance(part, int) and part < len(node.value):
                    found = node = node.value[part]
                case _:
                    break
        return None if found is None else found.start_mark

    def _pairs_of(self, node: yaml.MappingNode) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Key and value by what a key says. A merged key (<<) stands before the mapping's own: the last one counts."""
        if id(node) not in self._pairs:
            self._pairs[id(node)] = {
                key.value: (key, its) for key, its in node.value if isinstance(key, yaml.ScalarNode)
            }
        return self._pairs[id(node)]

    def error(self, mistake: Mistake, kind: type[UserError]) -> UserError:
        """The mistake as a room's exception."""
        return kind(mistake.code, mistake.message, self.where(mistake.loc), mistake.mend)


def field_name(loc: Loc) -> str:
    """``timeline[1].question``: entries of lists are counted from 1."""
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


class CoreLoader(Composer, CParser, SafeConstructor, Resolver):
    """Knows null, true and false, decimal and hexadecimal whole numbers, and fractions; everything else is text.

    libyaml reads, nine times as quickly as PyYAML does. Its own nodes it makes by calls within calls, which a text nested deeply enough would end the
    process by: PyYAML makes them.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own name)

    def __init__(self, text: str) -> None:
        """Begin to read a text."""
        CParser.__init__(self, text)
        for part in (Composer, SafeConstructor, Resolver):
            part.__init__(self)


class ExactLoader(CoreLoader):
    """Reads 15.44 as the decimal that is written, not as the nearest binary fraction."""


_TAG = "tag:yaml.org,2002:"
for _kind, _written, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    CoreLoader.add_implicit_resolver(_TAG + _kind, re.compile(rf"(?:{_written})\Z"), list(_first))
ExactLoader.yaml_implicit_resolvers = CoreLoader.yaml_implicit_resolvers


def _int(_: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    try:
        found = int(node.value, 16 if node.value.startswith("0x") else 10)
        # Hexadecimal ones are read at any length, but nobody could be told of one that is too long for decimals.
        str(found)
        return found
    except ValueError:
        raise yaml.constructor.ConstructorError(None, None, "this is no whole number", node.start_mark) from None


def _text(_: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    try:
        node.value.encode()
    except UnicodeEncodeError:
        raise yaml.constructor.ConstructorError(
            None, None, "a text has half a surrogate pair, which is no character", node.start_mark
        ) from None
    return str(node.value)


def _decimal(_: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal:
    try:
        return Decimal(node.value.replace(".inf", "inf").replace(".nan", "nan"))
    except ArithmeticError:
        raise yaml.constructor.ConstructorError(
            None, None, f"'{node.value}' is not a decimal", node.start_mark
        ) from None


for _loader in (CoreLoader, ExactLoader):
    _loader.add_constructor(_TAG + "int", _int)
    _loader.add_constructor(_TAG + "str", _text)
ExactLoader.add_constructor(_TAG + "float", _decimal)
#: What a loader knows of values.
_TABLES = ("yaml_implicit_resolvers", "yaml_constructors", "yaml_multi_constructors")


def read_yaml_file(path: Path, loader: type[CoreLoader] = CoreLoader, place: str = "") -> YamlDocument:
    """Read a file of one document, called ``place``, or by its path. Raises YamlProblem, UnreadableFile where there is none to read."""
    try:
        text = whole_text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(getattr(error, "strerror", None) or "it is not UTF-8 text", str(path)) from error
    return read_yaml(text, place or str(path), loader)


def read_yaml(text: str, place: str, loader: type[CoreLoader] = CoreLoader) -> YamlDocument:
    """Read a text of one document. Raises YamlProblem with the line, also where a mapping has a key twice."""
    try:
        try:
            return _read(text, place, loader)
        except (yaml.scanner.ScannerError, yaml.parser.ParserError, yaml.reader.ReaderError, UnicodeEncodeError):
            # PyYAML says better than libyaml what is wrong, and where.
            alone = type("alone", (yaml.SafeLoader,), {name: getattr(loader, name) for name in _TABLES})
            return _read(text, place, alone)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _problem(error.problem or str(error.context), place, mark) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlProblem("a character that YAML does not allow", f"{place}:{line}") from None
    except RecursionError:
        raise _problem("it is nested too deeply", place) from None
    except (yaml.YAMLError, ValueError):
        raise _problem("a value that cannot be read", place) from None


def _read(text: str, place: str, loader: type[Any]) -> YamlDocument:
    reader = loader(text)
    try:
        root = reader.get_single_node()
        if root is None:
            return YamlDocument(place, None)
        # Nothing is meant twice, or by itself, where no alias can stand.
        if "*" in text:
            for endless in _within_itself(root, set(), set()):
                raise _problem("a value that contains itself: its alias stands inside it", place, endless.start_mark)
            for folded in _too_much(root, {}):
                told = f"an alias of aliases: written out it has more than {MOST_VALUES:,} values"
                raise _problem(told, place, folded.start_mark)
        for key in _doubles(root, set()):
            raise _problem(f"'{key.value}' stands twice in one mapping", place, key.start_mark)
        return YamlDocument(place, reader.construct_document(root), root, text)
    finally:
        reader.dispose()


def _problem(what: str, place: str, mark: yaml.Mark | None = None) -> YamlProblem:
    return YamlProblem(what, place if mark is None else f"{place}:{mark.line + 1}")


def _within_itself(node: yaml.Node, around: set[int], seen: set[int]) -> Iterator[yaml.Node]:
    """Values with an anchor that is named inside of them: they have no end."""
    if id(node) in around:
        yield node
    if id(node) in seen or isinstance(node, yaml.ScalarNode):
        return
    seen.add(id(node))
    for child in _inner(node):
        yield from _within_itself(child, around | {id(node)}, seen)


def _too_much(node: yaml.Node, sizes: dict[int, int]) -> Iterator[yaml.Node]:
    """Values that aliases make of more than anybody would write: a few lines could stand for more than a machine holds. None may be within itself."""
    if id(node) in sizes:
        return
    inner = _inner(node)
    for child in inner:
        yield from _too_much(child, sizes)
    sizes[id(node)] = 1 + sum(sizes[id(child)] for child in inner)
    if MOST_VALUES < sizes[id(node)] > len(sizes):
        yield node


def _inner(node: yaml.Node) -> list[yaml.Node]:
    """What a list or a mapping holds, keys too."""
    match node:
        case yaml.MappingNode():
            return [one for pair in node.value for one in pair]
        case yaml.SequenceNode():
            return list(node.value)
        case _:
            return []


def _doubles(node: yaml.Node, seen: set[int]) -> Iterator[yaml.Node]:
    """Keys that stand a second time in their mapping."""
    if id(node) in seen:
        return
    seen.add(id(node))
    match node:
        case yaml.MappingNode():
            keys: set[tuple[str, str]] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if (key.tag, key.value) in keys:
                        yield key
                    keys.add((key.tag, key.value))
                yield from _doubles(value, seen)
        case yaml.SequenceNode():
            for child in node.value:
                yield from _doubles(child, seen)


def _clock(value: Any) -> Any:
    if isinstance(value, time) or (isinstance(value, str) and _CLOCK.fullmatch(value)):
        return value
    raise ValueError(f"'{value}' is not a time of day; write it as HH:MM, 00:00 to 23:59")


#: A local clock time, written HH:MM.
ClockTime = Annotated[time, BeforeValidator(_clock)]
