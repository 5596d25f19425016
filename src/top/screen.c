// From above: a line about the source, the figures of all, a chart, the readers, the most watched videos,
// what happened lately. What does not fit is left out from below; readers and videos leave some room to those
// after them.
#include "top/screen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "page.h"
#include "top/words.h"

enum { EVERY_MS = 2000, FIGURE_COLUMNS = 13, VIDEOS_MOST = 5, EVENTS_LEAST = 4, EVENTS_MOST = 20 };

typedef const char *words_fn(char out[WORDS_SIZE], const json_t *);

void screen_release(struct screen *s) {
    json_decref(s->dashboard);
    s->dashboard = NULL;
}

bool screen_take(struct screen *s, const char *json, size_t len) {
    json_t *o = json_loadb(json, len, 0, NULL);
    if (!json_is_array(json_object_get(o, "readers"))) {
        json_decref(o);
        return false;
    }
    json_decref(s->dashboard);
    s->dashboard = o;
    s->chart[s->taken++ % SCREEN_CHART] = json_number_value(json_object_get(o, "deliveriesPerSecond"));
    return true;
}

int screen_every_ms(const struct screen *s) {
    json_int_t every_ms = json_integer_value(json_object_get(s->dashboard, "everyMs"));
    return every_ms > 0 && every_ms < 60000 ? (int)every_ms : EVERY_MS;
}

// The first lines

static void write_source(const struct screen *s, const struct screen_look *look, struct page *p) {
    char time[WORDS_SIZE];
    const char *version = json_string_value(json_object_get(s->dashboard, "version"));
    page_add(p, STYLE_BOLD, "Chorus");
    if (version) page_add(p, STYLE_BOLD, " "), page_add_foreign(p, STYLE_BOLD, version, 20);
    page_add(p, STYLE_PLAIN, "  ");
    page_add_foreign(p, STYLE_PLAIN, look->address, 200);
    if (s->dashboard)
        page_add(p, STYLE_PLAIN, "  %s", words_of_time(time, json_object_get(s->dashboard, "at")));
    if (look->hint && p->column + strlen(look->hint) + 2 <= p->columns)
        page_add_right(p, STYLE_FAINT, p->columns, look->hint);
    page_end_line(p);
    if (look->trouble) page_add_foreign(p, STYLE_BAD, look->trouble, 250);
    if (!look->trouble && json_is_false(json_object_get(s->dashboard, "storeAvailable")))
        page_add(p, STYLE_BAD, "The store of comments is away: posts are refused until it is back.");
    page_end_line(p);
}

static const struct figure {
    const char *name, *label;
    words_fn *words;
} figures[] = {
    {"viewers", "viewers", words_of_count},
    {"videos", "videos", words_of_count},
    {"commentsPerSecond", "comments/s", words_of_rate},
    {"deliveriesPerSecond", "deliveries/s", words_of_rate},
    {"p50Ms", "p50", words_of_ms},
    {"p99Ms", "p99", words_of_ms},
};

static const struct figure asides[] = {
    {"imbalance", "imbalance of viewers", words_of_ratio},
    {"slowViewers", "slow", words_of_count},
    {"droppedViewers", "dropped", words_of_count},
    {"resumedViewers", "resumed", words_of_count},
};

static void write_figures(const struct screen *s, struct page *p) {
    char text[WORDS_SIZE];
    enum { FIGURES = sizeof figures / sizeof *figures, ASIDES = sizeof asides / sizeof *asides };
    for (unsigned i = 0; i < FIGURES; i++)
        page_add_right(p, STYLE_FAINT, (i + 1) * FIGURE_COLUMNS, figures[i].label);
    page_end_line(p);
    for (unsigned i = 0; i < FIGURES; i++)
        page_add_right(p, STYLE_BOLD, (i + 1) * FIGURE_COLUMNS,
                       figures[i].words(text, json_object_get(s->dashboard, figures[i].name)));
    page_end_line(p);
    for (unsigned i = 0; i < ASIDES; i++) {
        const char *value = asides[i].words(text, json_object_get(s->dashboard, asides[i].name));
        page_add(p, STYLE_FAINT, "   %s ", asides[i].label);
        page_add(p, STYLE_PLAIN, "%s", value);
    }
    page_end_line(p);
}

static void write_chart(const struct screen *s, struct page *p) {
    static const char label[] = "   deliveries/s ";
    char text[WORDS_SIZE];
    unsigned room = p->columns > sizeof label + 10 ? p->columns - (unsigned)sizeof label - 10 : 0;
    uint64_t most = room < SCREEN_CHART ? room : SCREEN_CHART;
    uint64_t count = s->taken < most ? s->taken : most;
    double top = 0;
    for (uint64_t i = s->taken - count; i < s->taken; i++) top = fmax(top, s->chart[i % SCREEN_CHART]);
    if (count < 2 || top <= 0) return;
    page_add(p, STYLE_FAINT, "%s", label);
    for (uint64_t i = s->taken - count; i < s->taken; i++)
        page_add_spark(p, s->chart[i % SCREEN_CHART] / top);
    json_t *peak = json_real(top);
    page_add(p, STYLE_FAINT, " top %s", words_of_rate(text, peak));
    json_decref(peak);
    page_end_line(p);
}

// Tables

static void write_empty_line(struct page *p) {
    if (p->row) page_end_line(p);
}

static unsigned rows_left(const struct page *p) {
    return !p->rows ? 1000 : p->row < p->rows ? p->rows - p->row : 0;
}

static void write_state(struct page *p, const json_t *reader) {
    char age[WORDS_SIZE];
    const char *state = json_string_value(json_object_get(reader, "state"));
    bool live = state && !strcmp(state, "live"), lost = state && !strcmp(state, "lost");
    if (live && json_is_false(json_object_get(reader, "storeAvailable"))) {
        page_add(p, STYLE_WARN, "no store");
        return;
    }
    page_add_foreign(p, live ? STYLE_GOOD : lost ? STYLE_BAD : STYLE_WARN, state ? state : "?", 8);
    if (lost) page_add(p, STYLE_BAD, " %s", words_of_age(age, json_object_get(reader, "lostForMs")));
}

enum { AT_STATE = 15, AT_VIEWERS = 34, AT_BAR = 36, BAR = 12, AT_VIDEOS = 58, AT_RATE = 71, AT_MEMORY = 79 };

static void write_reader(struct page *p, const json_t *reader) {
    char text[WORDS_SIZE];
    const char *id = json_string_value(json_object_get(reader, "instanceId"));
    const json_t *share = json_object_get(reader, "share");
    page_add_foreign(p, STYLE_PLAIN, id ? id : "?", AT_STATE - 1);
    page_move(p, AT_STATE);
    write_state(p, reader);
    page_add_right(p, STYLE_PLAIN, AT_VIEWERS, words_of_count(text, json_object_get(reader, "viewers")));
    if (json_is_number(share)) {
        page_move(p, AT_BAR);
        page_add_bar(p, json_number_value(share), BAR);
        snprintf(text, sizeof text, "%3.0f%%", json_number_value(share) * 100);
        page_add_right(p, STYLE_FAINT, AT_BAR + BAR + 5, text);
    }
    page_add_right(p, STYLE_PLAIN, AT_VIDEOS, words_of_count(text, json_object_get(reader, "videos")));
    page_add_right(p, STYLE_PLAIN, AT_RATE,
                   words_of_rate(text, json_object_get(reader, "deliveriesPerSecond")));
    page_add_right(p, STYLE_PLAIN, AT_MEMORY, words_of_bytes(text, json_object_get(reader, "memoryUsed")));
    page_end_line(p);
}

static void write_readers(const struct screen *s, struct page *p, unsigned after) {
    const json_t *readers = json_object_get(s->dashboard, "readers");
    size_t count = json_array_size(readers), left = rows_left(p);
    size_t room = left > after + 4 ? left - after - 2 : 2;
    size_t shown = count <= room ? count : room - 1;
    write_empty_line(p);
    page_add(p, STYLE_FAINT, "READER");
    page_move(p, AT_STATE);
    page_add(p, STYLE_FAINT, "STATE");
    page_add_right(p, STYLE_FAINT, AT_VIEWERS, "VIEWERS");
    page_add_right(p, STYLE_FAINT, AT_VIDEOS, "VIDEOS");
    page_add_right(p, STYLE_FAINT, AT_RATE, "DELIVERIES/S");
    page_add_right(p, STYLE_FAINT, AT_MEMORY, "MEMORY");
    page_end_line(p);
    for (size_t i = 0; i < shown; i++) write_reader(p, json_array_get(readers, i));
    if (shown == count) return;
    page_add(p, STYLE_FAINT, "and %zu more", count - shown);
    page_end_line(p);
}

static void write_videos(const struct screen *s, struct page *p) {
    char text[WORDS_SIZE];
    const json_t *videos = json_object_get(s->dashboard, "topVideos");
    size_t count = json_array_size(videos), left = rows_left(p);
    if (count > VIDEOS_MOST) count = VIDEOS_MOST;
    if (!count || left < EVENTS_LEAST + 4) return;
    if (count > left - EVENTS_LEAST - 3) count = left - EVENTS_LEAST - 3;
    write_empty_line(p);
    page_add(p, STYLE_FAINT, "VIDEO");
    page_add_right(p, STYLE_FAINT, AT_VIEWERS, "VIEWERS");
    page_add_right(p, STYLE_FAINT, AT_RATE, "COMMENTS/S");
    page_end_line(p);
    for (size_t i = 0; i < count; i++) {
        const json_t *v = json_array_get(videos, i);
        const char *id = json_string_value(json_object_get(v, "videoid"));
        page_add_foreign(p, STYLE_PLAIN, id ? id : "?", AT_VIEWERS - 8);
        page_add_right(p, STYLE_PLAIN, AT_VIEWERS, words_of_count(text, json_object_get(v, "viewers")));
        page_add_right(p, STYLE_PLAIN, AT_RATE, words_of_rate(text, json_object_get(v, "commentsPerSecond")));
        page_end_line(p);
    }
}

// Events

static enum page_style style_of_event(const char *kind) {
    if (strstr(kind, "lost") || strstr(kind, "kill") || strstr(kind, "gap")) return STYLE_BAD;
    return strstr(kind, "back") || strstr(kind, "joined") ? STYLE_GOOD : STYLE_PLAIN;
}

// Returns the label of a value: empty where the value is understood without one.
static const char *label_of_event(const char *name) {
    static const char *const clear[] = {"reader", "readerUrl", "video", "videoid"};
    for (size_t i = 0; i < sizeof clear / sizeof *clear; i++)
        if (!strcmp(name, clear[i])) return "";
    return strcmp(name, "fromReader") ? name : "from";
}

// Whether a member is written elsewhere, or is the address of a reader whose name is there too.
static bool event_leaves_out(const json_t *notice, const char *name) {
    if (!strcmp(name, "kind") || !strcmp(name, "at") || !strcmp(name, "more")) return true;
    if (!strcmp(name, "readerUrl")) return json_is_string(json_object_get(notice, "reader"));
    return !strcmp(name, "from") && json_is_string(json_object_get(notice, "fromReader"));
}

// Kinds are words with underscores; whatever else a notice says is shown as it is, so that a new kind needs
// nothing here.
static void write_event(struct page *p, json_t *notice) {
    char text[WORDS_SIZE], kind[40] = "?";
    const char *given = json_string_value(json_object_get(notice, "kind")), *name;
    json_t *value, *more = json_object_get(notice, "more");
    if (given) snprintf(kind, sizeof kind, "%s", given);
    for (char *at = kind; *at; at++)
        if (*at == '_') *at = ' ';
    page_add(p, STYLE_FAINT, "%s  ", words_of_time(text, json_object_get(notice, "at")));
    page_add_foreign(p, style_of_event(kind), kind, sizeof kind);
    json_object_foreach(notice, name, value) {
        if (json_is_null(value) || event_leaves_out(notice, name)) continue;
        const char *label = label_of_event(name);
        page_add(p, STYLE_FAINT, "  ");
        if (*label) page_add_foreign(p, STYLE_FAINT, label, 20), page_add(p, STYLE_FAINT, " ");
        if (json_is_string(value)) page_add_foreign(p, STYLE_PLAIN, json_string_value(value), 60);
        if (json_is_number(value)) page_add(p, STYLE_PLAIN, "%.10g", json_number_value(value));
    }
    if (json_is_integer(more))
        page_add(p, STYLE_FAINT, "  (%s earlier left out)", words_of_count(text, more));
    page_end_line(p);
}

static void write_events(const struct screen *s, struct page *p) {
    const json_t *notices = json_object_get(s->dashboard, "notices");
    size_t count = json_array_size(notices), left = rows_left(p);
    if (!count || left < 3) return;
    size_t shown = count < left - 2 ? count : left - 2;
    if (shown > EVENTS_MOST) shown = EVENTS_MOST;
    write_empty_line(p);
    page_add(p, STYLE_FAINT, "LATELY");
    page_end_line(p);
    for (size_t i = 0; i < shown; i++) write_event(p, json_array_get(notices, count - 1 - i)); // newest first
}

void screen_write(const struct screen *s, const struct screen_look *look, struct buf *out) {
    struct page p = {.out = out,
                     .columns = look->columns,
                     .rows = look->rows,
                     .colour = look->colour,
                     .utf8 = look->utf8,
                     .line_end = look->line_end};
    write_source(s, look, &p);
    if (!s->dashboard) return;
    write_figures(s, &p);
    write_chart(s, &p);
    unsigned after = json_array_size(json_object_get(s->dashboard, "topVideos"))
                         ? VIDEOS_MOST + EVENTS_LEAST + 2
                         : EVENTS_LEAST;
    write_readers(s, &p, after);
    write_videos(s, &p);
    write_events(s, &p);
}
