// Private to top: lines of text for a terminal, cut to its width and height. Pure.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum page_style { STYLE_PLAIN, STYLE_FAINT, STYLE_BOLD, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_BAR };

struct page {
    struct buf *out;
    unsigned columns, rows; // rows: 0: no limit
    bool colour, utf8;
    const char *line_end; // between two lines
    unsigned row, column; // where the next text goes
};

// Returns whether there is room for another line.
bool page_has_room(const struct page *);

// Adds text, in UTF-8 of one column a character, without control characters.
void page_add(struct page *, enum page_style, const char *format, ...) __attribute__((format(printf, 3, 4)));

// Adds text from outside: what is not printable ASCII becomes a question mark.
void page_add_foreign(struct page *, enum page_style, const char *text, unsigned columns);

// Adds a number, or whatever the text says, so that it ends in front of a column.
void page_add_right(struct page *, enum page_style, unsigned column, const char *text);

// Adds spaces up to a column.
void page_move(struct page *, unsigned column);

void page_end_line(struct page *);

// Adds a bar that fills `share` (0 to 1) of so many columns.
void page_add_bar(struct page *, double share, unsigned columns);

// Adds a column of a chart: `share` of the height of a line.
void page_add_spark(struct page *, double share);
