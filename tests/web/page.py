"""Reads a page as a browser would: elements by CSS selector, their words without mark-up."""

from dataclasses import dataclass

from lxml import html


@dataclass
class Part:
    """An element."""

    element: html.HtmlElement

    def text(self) -> str:
        return " ".join(self.element.text_content().split())

    def get(self, name: str) -> str | None:
        return self.element.get(name)

    @property
    def enabled(self) -> bool:
        return "disabled" not in self.element.attrib


@dataclass
class Page:
    """What a server answered."""

    root: html.HtmlElement

    @classmethod
    def of(cls, content: bytes) -> "Page":
        return cls(html.fromstring(content.decode()))

    def all(self, xpath: str) -> list[Part]:
        return [Part(element) for element in self.root.xpath(xpath)]

    def one(self, xpath: str) -> Part:
        (part,) = self.all(xpath)
        return part

    def id(self, name: str) -> Part:
        return self.one(f"//*[@id='{name}']")

    def has(self, xpath: str) -> bool:
        return bool(self.all(xpath))

    def button(self, action: str) -> Part:
        return self.one(f"//button[@data-action='{action}']")

    def why(self, action: str) -> str:
        """The text which a disabled button says is its reason."""
        described = self.button(action).get("aria-describedby")
        assert described, f"{action} is disabled without a reason"
        return self.id(described).text()
