// Light or dark as chosen on the DAQ's pages, which keep it in a cookie (web/theme.py). Before anything is drawn.
"use strict";
{
  const chosen = new Map(document.cookie.split("; ").map((cookie) => cookie.split("=", 2)));
  const names = [...chosen.keys()].filter((name) => name.endsWith("_theme"));
  // Cookies know no ports: of two systems on one computer, that which is named after this page's port.
  const name = names.find((each) => each.endsWith(`_${location.port}_theme`)) ?? names[0];
  const theme = chosen.get(name);
  if (["light", "dark"].includes(theme)) document.documentElement.dataset.theme = theme;
}
