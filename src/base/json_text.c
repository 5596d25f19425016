#include "base/json_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

static bool is_plain(char c) {
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

static void add_escaped(struct buf *b, char c) {
    static const char letters[] = "\"\\bfnrt", meanings[] = "\"\\\b\f\n\r\t";
    const char *meaning = c ? strchr(meanings, c) : NULL;
    if (meaning)
        buf_add(b, (char[]){'\\', letters[meaning - meanings]}, 2);
    else
        buf_printf(b, "\\u%04x", (unsigned)(unsigned char)c);
}

void json_text_add(struct buf *b, const char *text, size_t len) {
    const char *end = text + len;
    buf_reserve(b, len + 2);
    buf_add(b, "\"", 1);
    while (text < end) {
        const char *run = text;
        while (text < end && is_plain(*text)) text++;
        buf_add(b, run, (size_t)(text - run));
        if (text < end) add_escaped(b, *text++);
    }
    buf_add(b, "\"", 1);
}
