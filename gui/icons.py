"""The icons: one family (Phosphor, through qtawesome), in the theme's colours."""

from __future__ import annotations

from PySide6.QtGui import QIcon

from gui.tokens import Theme

NAMES = {
    "undo": "ph.arrow-u-up-left", "redo": "ph.arrow-u-up-right", "results": "ph.table", "code": "ph.code",
    "export": "ph.export", "file": "ph.folder-open", "theme": "ph.circle-half", "help": "ph.question",
    "play": "ph.play-fill", "pause": "ph.pause-fill", "step": "ph.skip-forward", "back": "ph.skip-back",
    "reset": "ph.arrow-line-left", "end": "ph.arrow-line-right", "branch": "ph.git-branch", "pin": "ph.push-pin",
    "close": "ph.x", "clear": "ph.x",
}  # fmt: skip


def icon(name: str, theme: Theme, *, on_accent: bool = False) -> QIcon:
    """An icon by the name of what it does. Raises KeyError for a name nobody drew."""
    import qtawesome  # 0.2 s: not before the window is painted

    colour = theme.on_accent if on_accent else theme.dim
    made: QIcon = qtawesome.icon(NAMES[name], color=colour, color_active=theme.text, color_disabled=theme.line)
    return made
