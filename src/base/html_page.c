#include "base/html_page.h"

#include <stddef.h>

extern const char html_page_theme[]; // web/theme.css

void html_page_begin(FILE *out, const char *title, const char *style) {
    fprintf(out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n"
            "<title>%s</title>\n<style>\n%s\n%s</style>\n</head>\n<body>\n",
            title, html_page_theme, style ? style : "");
}

void html_page_end(FILE *out) {
    fputs("</body>\n</html>\n", out);
}

void html_page_add_text(FILE *out, const char *text) {
    for (; *text; text++) {
        switch (*text) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        default: fputc(*text, out);
        }
    }
}
