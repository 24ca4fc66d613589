"""What the manual has beside Markdown: pictures of the pages, and a table made of the product's own."""

from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from get_protocol.state_machine import KILLS_SERVER, State, Transition, sources, target

THEMES = ("light", "dark")


class Picture(SphinxDirective):
    """A picture that `make pictures` takes of the running demo, in both themes; until then only its caption."""

    required_arguments = 1
    has_content = True
    option_spec = {"phone": directives.flag}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        figure = nodes.figure(classes=["picture", *(["phone"] if "phone" in self.options else [])])
        files = [Path(self.env.srcdir) / "pictures" / f"{name}-{theme}.png" for theme in THEMES]
        caption, messages = self.state.inline_text(" ".join(self.content), self.lineno)
        alternative = nodes.Text("".join(part.astext() for part in caption)).astext()
        for file, theme in zip(files, THEMES, strict=True):
            self.env.note_dependency(str(file))
            if all(each.is_file() for each in files):
                image = nodes.image(uri=f"/pictures/{file.name}", alt=alternative, loading="lazy")
                figure += nodes.image("", **image.attributes | {"classes": [f"only-{theme}"]})
        figure += nodes.caption("", "", *caption)
        self.set_source_info(figure)
        return [figure, *messages]


class Transitions(SphinxDirective):
    """The state machine's one table: what each operation does in each state."""

    def run(self) -> list[nodes.Node]:
        states = [state for state in State if state is not State.OFF]
        rows = [["Operation", *(name(state) for state in states)]]
        for transition in (transition for transition in Transition if sources(transition)):
            rows += [[name(transition), *(_cell(state, transition) for state in states)]]
        return [table(rows)]


def _cell(state: State, transition: Transition) -> str:
    end = target(state, transition)
    if end is None:
        return "–"
    return f"{name(end)} (kills the ECC server)" if transition in KILLS_SERVER else name(end)


def name(member: State | Transition) -> str:
    """As the page writes it."""
    return member.name.capitalize()


def table(rows: list[list[str]]) -> nodes.table:
    """The first row and the first column are heads."""
    group = nodes.tgroup(cols=len(rows[0]))
    group += [nodes.colspec(colwidth=1) for _ in rows[0]]
    head, body = nodes.thead(), nodes.tbody()
    for number, row in enumerate(rows):
        line = nodes.row("", *(nodes.entry("", nodes.paragraph(text=text)) for text in row))
        (body if number else head).append(line)
    group += [head, body]
    return nodes.table("", group, classes=["colwidths-auto"])


class Translator(HTML5Translator):
    """What may be wider than a screen can be scrolled with the keyboard too; no styles stand in a page (ADR 44)."""

    def visit_table(self, node: nodes.Element) -> None:
        self.body.append('<div class="table-scroll" tabindex="0" role="group" aria-label="Table">\n')
        super().visit_table(node)

    def depart_table(self, node: nodes.Element) -> None:
        super().depart_table(node)
        self.body.append("</div>\n")

    def visit_literal_block(self, node: nodes.Element) -> None:
        try:
            super().visit_literal_block(node)
        except nodes.SkipNode:
            self.body[-1] = self.body[-1].replace("<pre>", '<pre tabindex="0">', 1)
            raise


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("picture", Picture)
    app.add_directive("transitions", Transitions)
    for builder in ("html", "dirhtml"):
        app.set_translator(builder, Translator)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
