// Entry of the live parts of a page.
