// The frame of the pages that are written to a file: self-contained, so that they open from a disk and in a
// mail. They have the colours and type of the pages in web/ (theme.css), in light and dark. Any thread.
#pragma once

#include <stdio.h>

// Writes everything up to the content. `style`: further rules, or NULL. Neither is escaped.
void html_page_begin(FILE *, const char *title, const char *style);
void html_page_end(FILE *);

// Writes text between tags so that none of it is markup.
void html_page_add_text(FILE *, const char *text);
