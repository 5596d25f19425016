#include "page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const style_codes[] = {
    [STYLE_PLAIN] = "",        [STYLE_FAINT] = "\033[2m", [STYLE_BOLD] = "\033[1m", [STYLE_GOOD] = "\033[32m",
    [STYLE_WARN] = "\033[33m", [STYLE_BAD] = "\033[31m",  [STYLE_BAR] = "\033[36m"};

bool page_has_room(const struct page *p) {
    return !p->rows || p->row < p->rows;
}

// Returns the number of bytes of `text` that take up at most so many columns, and how many they take up.
static size_t fitting(const char *text, unsigned room, unsigned *columns) {
    const char *at = text;
    for (*columns = 0; *at; at++) {
        bool continues = ((unsigned char)*at & 0xc0) == 0x80;
        if (!continues && ++*columns > room) {
            --*columns;
            break;
        }
    }
    return (size_t)(at - text);
}

static void page_add_text(struct page *p, enum page_style style, const char *text) {
    if (!*text || !page_has_room(p) || p->column >= p->columns) return;
    if (!p->column && p->row) buf_add_string(p->out, p->line_end);
    unsigned columns;
    size_t len = fitting(text, p->columns - p->column, &columns);
    bool coloured = p->colour && style != STYLE_PLAIN;
    if (coloured) buf_add_string(p->out, style_codes[style]);
    buf_add(p->out, text, len);
    if (coloured) buf_add_string(p->out, "\033[0m");
    p->column += columns;
}

void page_add(struct page *p, enum page_style style, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    page_add_text(p, style, text);
}

void page_add_foreign(struct page *p, enum page_style style, const char *text, unsigned columns) {
    char safe[256];
    size_t len = 0;
    for (; len < columns && len < sizeof safe - 1 && text[len]; len++)
        safe[len] = text[len] >= ' ' && text[len] <= '~' ? text[len] : '?';
    safe[len] = 0;
    page_add_text(p, style, safe);
}

void page_move(struct page *p, unsigned column) {
    if (column > p->column) page_add(p, STYLE_PLAIN, "%*s", (int)(column - p->column), "");
}

void page_add_right(struct page *p, enum page_style style, unsigned column, const char *text) {
    size_t len = strlen(text);
    if (len < column) page_move(p, column - (unsigned)len);
    page_add_text(p, style, text);
}

void page_end_line(struct page *p) {
    if (!page_has_room(p)) return;
    if (!p->column && p->row) buf_add_string(p->out, p->line_end); // an empty line
    p->row++;
    p->column = 0;
}

void page_add_bar(struct page *p, double share, unsigned columns) {
    struct buf text = {0};
    unsigned full = share > 0 ? (unsigned)lround(fmin(share, 1) * columns) : 0;
    if (!full && share > 0) full = 1;
    for (unsigned i = 0; i < full && i < columns; i++) buf_add_string(&text, p->utf8 ? "█" : "#");
    page_add_text(p, STYLE_BAR, buf_string(&text));
    buf_release(&text);
}

void page_add_spark(struct page *p, double share) {
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[] = {"_", "_", ".", ".", "-", "-", "=", "#"};
    size_t i = share > 0 ? (size_t)lround(fmin(share, 1) * 7) : 0;
    page_add_text(p, STYLE_BAR, p->utf8 ? blocks[i] : plain[i]);
}
