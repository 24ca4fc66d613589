"""How the manual is made: `make manual` writes build/help, which is served at /help/ (ADR 44)."""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE / "_ext"), str(ROOT / "src")]

project = "AT-TPC DAQ"
release = version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
language = "en"
extensions = ["myst_parser", "manual_parts", "compressed"]
exclude_patterns = ["_*", "pictures"]
nitpicky = True
# Options such as --alarm-port stay as they are typed.
smartquotes = False
highlight_language = "none"

# Addresses that pages, messages and mails link to: they are those of web/templatetags (ADR 44).
myst_heading_anchors = 4
myst_heading_slug_func = "attpcdaq.runcontrol.troubles.trouble_class.anchor_of"

html_theme = "attpcdaq"
html_theme_path = ["_theme"]
html_title = "Manual · AT-TPC DAQ"
html_static_path = [str(ROOT / "src/attpcdaq/web/static/attpcdaq" / name) for name in ("daq.css", "icon.svg")]
html_css_files = [("daq.css", {"priority": 150})]
html_extra_path = ["setup-example.toml"]
html_show_sourcelink = html_copy_source = False
html_use_index = html_domain_indices = False
html_permalinks_icon = "#"
html_codeblock_linenos_style = "inline"
