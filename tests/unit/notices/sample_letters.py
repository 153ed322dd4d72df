"""Two letters, one of which opens something."""

from makerhub.errors import translatable
from makerhub.notices.letters import letter

NEWS = letter(
    "test_news", title=translatable("News"), subject=translatable("News of %(what)s"), text=translatable("%(what)s!")
)
LINK = letter("test_link", title="Link", subject="A link", text="Open %(link)s", secret=True)
