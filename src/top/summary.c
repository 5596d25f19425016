#include "top/summary.h"

#include "page.h"
#include "top/screen.h"
#include "top/words.h"

static const struct {
    const char *name;
    const char *(*words)(char out[WORDS_SIZE], const json_t *);
    const char *before, *after;
} parts[] = {
    {"viewers", words_of_count, "  ", " viewers"},
    {"commentsPerSecond", words_of_rate, "   ", " comments/s"},
    {"deliveriesPerSecond", words_of_rate, "   ", " deliveries/s"},
    {"p99Ms", words_of_ms, "   p99 ", ""},
};

unsigned summary_write(const struct screen *s, unsigned columns, bool colour, struct buf *out) {
    struct page p = {.out = out, .columns = columns, .rows = 1, .colour = colour, .line_end = ""};
    char text[WORDS_SIZE];
    if (!json_is_number(json_object_get(s->dashboard, parts[0].name))) {
        page_add(&p, STYLE_FAINT, "  no figures yet");
        return p.column;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const json_t *value = json_object_get(s->dashboard, parts[i].name);
        page_add(&p, STYLE_FAINT, "%s", parts[i].before);
        page_add(&p, STYLE_BOLD, "%s", parts[i].words(text, value));
        page_add(&p, STYLE_FAINT, "%s", parts[i].after);
    }
    return p.column;
}
