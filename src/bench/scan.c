#include "scan.h"

#include <stdlib.h>
#include <string.h>

#include "clients/sequence.h"

static bool begins_with(const char *text, size_t len, const char *opening) {
    size_t wanted = strlen(opening);
    return len >= wanted && !memcmp(text, opening, wanted);
}

static uint64_t read_missed(const char *data, size_t len) {
    static const char field[] = "\"missed\":";
    const char *at = memmem(data, len, field, sizeof field - 1), *end = data + len;
    uint64_t missed = 0;
    if (!at) return 0;
    for (at += sizeof field - 1; at < end && *at >= '0' && *at <= '9'; at++)
        missed = missed * 10 + (uint64_t)(*at - '0');
    return missed;
}

static void scan_data(struct scan_event *e, const char *data, size_t len) {
    e->has_data = true;
    e->more = sequence_more(data, len);
    if (!e->is_stamped) e->is_stamped = stamp_find(data, len, &e->stamp);
    if (e->is_stamped) return;
    if (begins_with(data, len, "{\"type\":\"connected\"")) e->is_start = true;
    if (e->is_gap) e->missed = read_missed(data, len);
}

// Returns the field's value without one leading space, or NULL if the line is another field's.
static const char *scan_value(const char *line, size_t *len, const char *field) {
    size_t name = strlen(field);
    if (!begins_with(line, *len, field)) return NULL;
    if (*len > name && line[name] == ' ') name++;
    *len -= name;
    return line + name;
}

static void scan_field(struct scan_event *e, const char *line, size_t len) {
    const char *value;
    if ((value = scan_value(line, &len, "data:"))) {
        scan_data(e, value, len);
    } else if ((value = scan_value(line, &len, "id:"))) {
        if (!position_parse(value, len, &e->position)) e->position = (struct position){0};
    } else if ((value = scan_value(line, &len, "event:"))) {
        e->is_gap = len == 3 && !memcmp(value, "gap", 3);
        e->is_named = !e->is_gap && len && !(len == 7 && !memcmp(value, "message", 7));
    }
}

static void scan_line(struct scan *s, const char *line, size_t len, scan_cb *on_event, void *arg) {
    if (len && line[len - 1] == '\r') len--;
    if (len) {
        scan_field(&s->event, line, len);
        s->begun = true;
        return;
    }
    if (s->event.has_data || position_is_set(s->event.position)) on_event(arg, &s->event);
    s->event = (struct scan_event){0};
    s->begun = false;
}

bool scan_feed(struct scan *s, const char *bytes, size_t len, scan_cb *on_event, void *arg) {
    const char *end = bytes + len, *newline;
    while (bytes < end && (newline = memchr(bytes, '\n', (size_t)(end - bytes)))) {
        if (s->line.len) {
            buf_add(&s->line, bytes, (size_t)(newline - bytes));
            scan_line(s, s->line.data, s->line.len, on_event, arg);
            buf_release(&s->line);
        } else {
            scan_line(s, bytes, (size_t)(newline - bytes), on_event, arg);
        }
        bytes = newline + 1;
    }
    if (bytes < end) buf_add(&s->line, bytes, (size_t)(end - bytes));
    return s->line.len <= SCAN_LINE_MAX;
}

void scan_release(struct scan *s) {
    buf_release(&s->line);
}

bool scan_is_at_rest(const struct scan *s) {
    return !s->line.len && !s->begun;
}
