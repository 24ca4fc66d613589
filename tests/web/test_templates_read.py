"""Every template is one that Django can read."""

from django.template import engines

from attpcdaq.web.templates_read import TEMPLATES, read_all


def test_all_are_read_and_kept() -> None:
    assert read_all() == len(list(TEMPLATES.rglob("*.html"))) > 100
    loader = engines["django"].engine.template_loaders[0]
    assert "status/page.html" in loader.get_template_cache
