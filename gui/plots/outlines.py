"""Turn the words of an SVG into outlines, so that it looks the same where the font is missing."""

from __future__ import annotations

from xml.etree import ElementTree

from PySide6.QtGui import QPainterPath

from engine.turns import give_way
from gui.fonts import FAMILY, font

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"


def outline_words(data: bytes, width: int, height: int) -> bytes:
    """The same picture with each `<text>` as a `<path>` and its words kept in `aria-label`; size in px.

    `data`: what Qt's SVG generator wrote. No element needs a clip path, a script or anything from outside.
    """
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(data)
    root.set("width", str(width))
    root.set("height", str(height))
    for parent in root.iter():
        for index, child in enumerate(list(parent)):
            if child.tag == f"{{{SVG}}}text":
                give_way()
                parent[index] = _outlined(child)
    # Empty groups are left over from pens that were set and not used.
    group = f"{{{SVG}}}g"
    for parent in root.iter():
        for child in [c for c in parent if c.tag == group and not len(c)]:
            parent.remove(child)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _outlined(text: ElementTree.Element) -> ElementTree.Element:
    words = "".join(text.itertext())
    used = font(float(text.get("font-size", "13").removesuffix("px")), int(text.get("font-weight", "400")))
    family = text.get("font-family", FAMILY)
    if family != FAMILY:
        used.setFamily(family)
    path = QPainterPath()
    path.addText(float(text.get("x", "0")), float(text.get("y", "0")), used, words)
    made = ElementTree.Element(f"{{{SVG}}}path")
    made.set("d", path_data(path))
    made.set("fill", text.get("fill", "#000000"))
    made.set("fill-opacity", text.get("fill-opacity", "1"))
    made.set("stroke", "none")
    made.set("fill-rule", "nonzero")
    made.set("aria-label", words)
    return made


def path_data(path: QPainterPath) -> str:
    """The `d` of an SVG path: M, L and C with two decimals."""
    kinds = QPainterPath.ElementType
    parts: list[str] = []
    for i in range(path.elementCount()):
        element = path.elementAt(i)
        place = f"{element.x:.2f} {element.y:.2f}"
        letter = {kinds.MoveToElement: "M", kinds.LineToElement: "L", kinds.CurveToElement: "C"}
        parts.append(letter.get(element.type, "") + place)
    return " ".join(parts)
