// Headings in which all words occur, before the pages in which they do: Sphinx's own search leads to whole pages.
"use strict";
{
  const MOST = 12;
  const asked = new URLSearchParams(location.search).get("q") ?? "";
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  const takesIndex = Search.setIndex;
  Search.setIndex = (index) => {
    takesIndex(index);
    if (words.length) show(index);
  };

  const show = (index) => {
    const found = Object.entries(index.alltitles).filter(([title]) => fits(title));
    found.sort(([one], [other]) => one.length - other.length);
    const links = found.flatMap(([title, places]) => places.map(([page, anchor]) => link(index, title, page, anchor)));
    const part = document.getElementById("search-headings");
    part.hidden = links.length === 0;
    part.querySelector("ul").replaceChildren(...links.slice(0, MOST));
  };

  const fits = (title) => words.every((word) => title.toLowerCase().includes(word));

  const link = (index, title, page, anchor) => {
    const name = index.docnames[page].replace(/(^|\/)index$/, "");
    const to = document.createElement("a");
    to.href = `${document.documentElement.dataset.content_root}${name}${name ? "/" : ""}${anchor ? `#${anchor}` : ""}`;
    to.textContent = title;
    const line = document.createElement("li");
    line.append(to, anchor ? ` (${index.titles[page]})` : "");
    return line;
  };
}
