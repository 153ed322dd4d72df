"""Notes of designs, written in Markdown by anybody, as safe HTML: no raw HTML, no pictures, links to the web only."""

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def render(text: str) -> Markup:
    """The notes as HTML for a page that has a title of its own: the notes' title is left out."""
    tokens = _markdown.parse(text)
    if tokens and tokens[0].tag == "h1":
        tokens = tokens[3:]  # opening, text, closing
    for token in tokens:
        token.tag = "h2" if token.tag == "h1" else token.tag
        token.attrs.pop("style", None)  # a table's alignment; our pages allow no inline style
        token.children = list(_to_the_web(token.children or ()))
    return Markup(_markdown.renderer.render(tokens, _markdown.options, {}))  # noqa: S704 – escaped by the renderer


def _to_the_web(tokens: Sequence[Token]) -> Iterator[Token]:
    """The text without links into the design's own folder, which lead nowhere here; links can't be nested."""
    leads_out = True
    for token in tokens:
        if token.type == "link_open":
            leads_out = str(token.attrGet("href")).lower().startswith(("https://", "http://"))
            token.attrSet("rel", "nofollow noreferrer")
        if leads_out or token.type not in ("link_open", "link_close"):
            yield token
