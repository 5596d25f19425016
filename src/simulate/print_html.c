// Writes the report as a page: the figures of the JSON report, and the script that draws them (page/).
#include "json_figures.h"

#include "base/html_page.h"
#include "simulate/simulate.h"

extern const char simulate_page_style[], simulate_page_body[], simulate_page_script[];

// Keeps text in the figures from ending the script element that they are in.
static int write_figures(const char *text, size_t len, void *out) {
    for (size_t i = 0; i < len; i++)
        if (text[i] == '<')
            fputs("\\u003c", out);
        else
            fputc(text[i], out);
    return 0;
}

void simulation_print_html(const struct simulation *s, FILE *out) {
    json_t *figures = simulation_figures(s);
    html_page_begin(out, "Chorus: where viewers land", simulate_page_style);
    fputs(simulate_page_body, out);
    fputs("<script type=\"application/json\" id=\"figures\">", out);
    json_dump_callback(figures, write_figures, out, JSON_COMPACT | JSON_REAL_PRECISION(FIGURE_DIGITS));
    fprintf(out, "</script>\n<script type=\"module\">\n%s</script>\n", simulate_page_script);
    html_page_end(out);
    json_decref(figures);
}
