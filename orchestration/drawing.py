"""Drawings for pages: SVG, written here, and pictures within Markdown.

SVG because matplotlib takes a second to import, and a day without training has no use for it. Belongs here:
frames, words and axes that more than one drawing has. Does not belong here: what is drawn.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

INK, GRID = "#333333", "#dddddd"


def svg(width: float, height: float, parts: Iterable[str]) -> str:
    """A drawing of these parts on white."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join(parts)}</svg>"
    )


def word(x: float, y: float, text: str, anchor: str = "middle") -> str:
    """A text of a drawing."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def image(title: str, picture: str | bytes, kind: str = "svg+xml") -> str:
    """A picture in Markdown that holds it whole."""
    content = picture.encode() if isinstance(picture, str) else picture
    return f"![{title}](data:image/{kind};base64,{b64encode(content).decode()})"


@dataclass(frozen=True)
class LogAxes:
    """Counts over numbers, each power of ten as high as the next.

    Attributes:
        first, last: the numbers at its edges.
        most: the highest count.
        left, top, width, height: where it lies.
    """

    first: float
    last: float
    most: int
    left: float = 60
    top: float = 60
    width: float = 600
    height: float = 200

    def x(self, value: float) -> float:
        """Where a number lies."""
        return self.left + self.width * (value - self.first) / (self.last - self.first)

    def y(self, count: float) -> float:
        """Where a count ends; a count of one is seen, too."""
        share = (math.log10(count) + 0.3) / (math.log10(max(self.most, 10)) + 0.3)
        return self.top + self.height * (1 - share)

    def bar(self, start: float, end: float, count: int, colour: str) -> str:
        """A bar between two numbers, nothing for no count."""
        if not count:
            return ""
        x, y = self.x(start), self.y(count)
        return self._box(x, y, self.x(end) - x, self.top + self.height - y, colour)

    def band(self, start: float, end: float, colour: str) -> str:
        """What lies between two numbers, as ground."""
        return self._box(self.x(start), self.top, self.x(end) - self.x(start), self.height, colour)

    @staticmethod
    def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
        return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'

    def mark(self, value: float, above: float = 0) -> str:
        """A line at a number, and so far above."""
        x, foot = self.x(value), self.top + self.height
        return f'<path d="M{x:.1f} {self.top - above:.1f}V{foot:.1f}" stroke="{INK}"/>'

    def grid(self) -> str:
        """The powers of ten, and the foot."""
        lines = []
        for count in (10**n for n in range(int(math.log10(max(self.most, 10))) + 1)):
            y = self.y(count)
            line = f'<path d="M{self.left} {y:.1f}h{self.width}" stroke="{GRID}"/>'
            lines.append(line + word(self.left - 6, y + 4, f"{count:,}", "end"))
        foot = f'<path d="M{self.left} {self.top + self.height}h{self.width}" stroke="{INK}"/>'
        return "".join([*lines, foot])
