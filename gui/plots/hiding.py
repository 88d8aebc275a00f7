"""What the reader has switched off in the legends of a page, in all its plots at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from gui.plots.header import Entry, Header

PART = "\x1f"  # between a contestant and what is only a part of it; in nobody's words


def part_of(name: str, part: str) -> str:
    """The name of what is hidden with `name`, and can be hidden alone: a contestant's test loss, its theory."""
    return f"{name}{PART}{part}"


class Hiding(QObject):
    """The names of what is switched off. A name is the words that all plots of a page have for one thing.

    `changed()` tells of it. `titles`: the words for each contestant by its id.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.titles: dict[str, str] = {}
        self._before: set[str] = set()  # what was off before the last click: a double click begins with one

    def hides(self, name: str) -> bool:
        """Whether this, or what it is a part of, is switched off."""
        return bool(self.names) and (name in self.names or name.partition(PART)[0] in self.names)

    def name_of(self, series: str, words: str) -> str:
        """The name of a line with these words in the colour of the contestant `series`: the contestant, a part of it
        where its words begin with the contestant's, or else something of its own."""
        title = self.titles.get(series, "")
        if not title or words == title or not words.startswith(title):
            return words
        return part_of(title, words)

    def switch(self, name: str, shown: bool) -> None:
        """Show or hide it. What is shown is shown whole: what it is a part of, too."""
        self._before = set(self.names)
        self._set(self.names - {name, name.partition(PART)[0]} if shown else self.names | {name})

    def alone(self, name: str, among: Iterable[str], *, doubled: bool = False) -> None:
        """Of these names show only this one; where that is so already, all. `doubled`: as if the click before had not
        been."""
        names = set(self._before if doubled else self.names)
        others = set(among) - {name}
        mine = {name, name.partition(PART)[0]}
        if others <= names and not mine & names:
            self._set(names - others)
        else:
            self._set((names - mine) | others)

    def begin(self, titles: Mapping[str, str]) -> None:
        """A run of these contestants begins, with their words by id. If it would show none of them it shows all."""
        self.titles = dict(titles)
        words = set(self.titles.values())
        if words and words <= self.names:
            self._set(self.names - words)

    def take(self, other: Hiding) -> None:
        """Hide what another hides."""
        self.titles = dict(other.titles)
        self._set(set(other.names))

    def copy(self) -> Hiding:
        """Another that hides the same, for a picture."""
        made = Hiding()
        made.take(self)
        return made

    def _set(self, names: set[str]) -> None:
        if names != self.names:
            self.names = names
            self.changed.emit()


class Switched:
    """What plots with a legend have in common: its chips switch series in every plot that shares `hiding`.

    A plot has `header`, `for_picture`, a signal `seriesToggled(key, shown)`, and begins with `begin_hiding`.
    """

    header: Header
    for_picture: bool
    seriesToggled: Any  # a signal of each class, as Qt wants it
    hiding: Hiding
    _off: frozenset[str] = frozenset()

    def begin_hiding(self) -> None:
        """Switch series in this plot alone, until it shares."""
        self.share(Hiding())
        self.header.switched.connect(self._chip_switched)
        self.header.alone.connect(self._chip_alone)

    def share(self, hiding: Hiding) -> None:
        """Hide, from now on, what is hidden there."""
        if hasattr(self, "hiding"):
            self.hiding.changed.disconnect(self._hiding_changed)
        self.hiding = hiding
        hiding.changed.connect(self._hiding_changed)
        self._hiding_changed()

    # -- what plots give ---------------------------------------------------------------------------------------------

    def entries(self) -> Sequence[Entry]:
        """The legend's entries."""
        raise NotImplementedError

    def named(self) -> dict[str, str]:
        """The name of everything that can be switched, by its key in this plot."""
        return {entry.key: entry.name or entry.label for entry in self.entries()}

    def hiding_changed(self) -> None:
        """Other series than before are hidden: paint anew."""
        raise NotImplementedError

    # -- shared ------------------------------------------------------------------------------------------------------

    @property
    def hidden(self) -> frozenset[str]:
        """The keys of what is switched off in this plot."""
        if not self.hiding.names:
            return frozenset()
        return frozenset(key for key, name in self.named().items() if self.hiding.hides(name))

    def set_hidden(self, key: str, hidden: bool) -> None:
        """Hide or show a series, as a click on the legend does."""
        self.hiding.switch(self.named().get(key, key), not hidden)

    def show_entries(self) -> None:
        """Bring the legend up to date. A picture leaves out what is hidden."""
        self._off = self.hidden
        entries = [entry for entry in self.entries() if not (self.for_picture and entry.key in self._off)]
        self.header.set_entries(entries, self._off)

    def _hiding_changed(self) -> None:
        before = self._off
        if self.hidden != before:
            self.show_entries()
            self.hiding_changed()

    def _chip_switched(self, key: str, shown: bool) -> None:
        self.set_hidden(key, not shown)
        self.seriesToggled.emit(key, shown)

    def _chip_alone(self, key: str, doubled: bool) -> None:
        names = self.named()
        self.hiding.alone(names[key], (names[e.key] for e in self.entries()), doubled=doubled)
