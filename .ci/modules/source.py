"""The modules of a crate and the paths that each of them names."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tokens import tokens

OPEN, CLOSE = {"(", "[", "{"}, {")", "]", "}"}
# Items that end with a semicolon, whatever braces they have.
ENDS_WITH_SEMICOLON = {"use", "static", "type", "let", "extern"}


class SourceError(Exception):
    """Source that cannot be read."""


class Named(NamedTuple):
    """A path in the source: its segments and where it is. `alias` is the name that a `use` gives it; `*` for all names."""

    segments: tuple
    line: int
    alias: str | None = None


@dataclass
class Module:
    """A module; an inline one belongs to the file that it is in."""

    node: str
    file: Path
    named: list = field(default_factory=list)


def read_crate(root):
    """All modules of the crate with this root, by path."""
    modules = {}
    read_file(root, root.parent, (), modules)
    return modules


def read_file(file, folder, path, modules):
    """Reads the module in `file`; files of its children are in `folder`."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{file}: {error.strerror}") from error
    Reader(tokens(text), file, folder, "::".join(path) or "crate", modules).items(path)


class Reader:
    """Goes through the tokens of a file once."""

    def __init__(self, found, file, folder, node, modules):
        self.tokens, self.file, self.folder, self.node, self.modules = found, file, folder, node, modules
        self.at = 0

    def text(self, ahead=0):
        at = self.at + ahead
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ""

    def is_word(self, ahead=0):
        at = self.at + ahead
        return 0 <= at < len(self.tokens) and self.tokens[at].kind == "word"

    def items(self, path):
        """Reads the items of a module up to its closing brace, or to the end of the file."""
        module = self.modules[path] = Module(self.node, self.file)
        depth, file_of_next = 0, None
        while self.at < len(self.tokens):
            text = self.text()
            if text == "#" and self.text(2 if self.text(1) == "!" else 1) == "[":
                # Of a file under `#![cfg(test)]` nothing is left.
                inner = self.text(1) == "!"
                tested, file_of_next = self.attribute(module)
                if tested and inner:
                    self.at = len(self.tokens)
                elif tested:
                    self.skip_item()
                continue
            if text == "mod" and self.is_word(1):
                self.child(path, file_of_next)
            elif text == "use" and self.text(1) != "<":
                self.at += 1
                self.use_tree((), module)
            elif text == "pub" and self.text(1) == "(":
                self.at += 1
                self.skip_group()
            elif self.is_word() and self.text(1) == "::" and self.text(-1) not in ("::", "."):
                self.path(module)
            else:
                depth += (text == "{") - (text == "}")
                self.at += 1
                if depth < 0:
                    return
            file_of_next = None

    def child(self, path, file_of_next):
        """Reads a child module, from its file or in place."""
        name = self.text(1)
        path += (name,)
        self.at += 3
        if self.text(-1) == "{":
            outer = self.folder
            self.folder = outer / name
            self.items(path)
            self.folder = outer
        elif file_of_next:
            file = self.file.parent / file_of_next
            read_file(file, file.parent, path, self.modules)
        else:
            file = self.folder / f"{name}.rs"
            file = file if file.exists() else self.folder / name / "mod.rs"
            read_file(file, self.folder / name, path, self.modules)

    def attribute(self, module):
        """Reads an attribute: whether it leaves its item to tests, and the file that it names, if it does."""
        self.at += 2 if self.text(1) == "!" else 1
        start = self.at
        self.skip_group()
        inside = [token.text for token in self.tokens[start + 1 : self.at - 1]]
        if inside[:2] == ["cfg", "("]:
            return only_for_tests(inside[2:-1]), None
        if inside[:2] == ["path", "="]:
            return False, inside[2].strip('"')
        end, self.at = self.at, start
        while self.at < end:
            if self.is_word() and self.text(1) == "::" and self.text(-1) != "::":
                self.path(module)
            else:
                self.at += 1
        return False, None

    def path(self, module):
        """Reads a path, as far as it consists of words."""
        line, segments = self.tokens[self.at].line, [self.text()]
        while self.text(1) == "::" and self.is_word(2):
            self.at += 2
            segments.append(self.text())
        self.at += 1
        module.named.append(Named(tuple(segments), line))

    def use_tree(self, prefix, module):
        """Reads one tree of a `use`, to what follows it."""
        line, segments = self.tokens[self.at].line if self.at < len(self.tokens) else 0, list(prefix)
        # A path that begins with `::` names another crate.
        if self.text() == "::" and not prefix:
            segments.append("::")
            self.at += 1
        while self.at < len(self.tokens):
            if self.text() == "{":
                self.at += 1
                while self.text() not in ("}", ""):
                    self.use_tree(tuple(segments), module)
                    self.at += self.text() == ","
                self.at += 1
                return
            if self.text() == "*":
                self.at += 1
                module.named.append(Named(tuple(segments), line, "*"))
                return
            if self.text() == "$":
                self.at += 1
            if not self.is_word():
                # Only in the pattern of a macro.
                self.at += 1
                return
            # `a::{self}` is `a`.
            if self.text() != "self" or not segments:
                segments.append(self.text())
            line = self.tokens[self.at].line
            self.at += 1
            if self.text() != "::":
                break
            self.at += 1
        alias = segments[-1] if segments else None
        if self.text() == "as":
            alias = self.text(1)
            self.at += 2
        module.named.append(Named(tuple(segments), line, alias))

    def skip_group(self):
        """Skips what is in brackets, and the brackets."""
        depth = 0
        while self.at < len(self.tokens):
            depth += (self.text() in OPEN) - (self.text() in CLOSE)
            self.at += 1
            if depth == 0:
                return

    def skip_item(self):
        """Skips the item, field, arm or statement that follows, with its other attributes."""
        while self.text() == "#":
            self.at += 1
            self.skip_group()
        if self.text() == "pub":
            self.at += 1
            if self.text() == "(":
                self.skip_group()
        is_field = self.is_word() and self.text(1) in (":", ",")
        to_semicolon = self.text() in ENDS_WITH_SEMICOLON or (
            self.text() == "const" and self.text(1) not in ("fn", "unsafe", "async", "extern")
        )
        to_semicolon = to_semicolon and not (self.text() == "extern" and self.text(1) != "crate")
        angles = 0
        while self.at < len(self.tokens):
            text = self.text()
            if text in CLOSE:
                return
            if text in OPEN:
                self.skip_group()
                if text == "{" and not to_semicolon:
                    return
                continue
            angles += (text == "<") - (text == ">" and self.text(-1) not in ("-", "="))
            self.at += 1
            if text == ";" or (text == "," and is_field and angles <= 0):
                return


def only_for_tests(predicate):
    """Whether the predicate of a `cfg` holds only in tests: `test`, or `all` of it and something else."""
    if predicate == ["test"]:
        return True
    if predicate[:2] != ["all", "("]:
        return False
    depth, part, parts = 0, [], []
    for text in [*predicate[2:-1], ","]:
        depth += (text == "(") - (text == ")")
        if text == "," and depth == 0:
            parts.append(part)
            part = []
        else:
            part.append(text)
    return any(only_for_tests(part) for part in parts)
