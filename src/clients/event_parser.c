#include "event_parser.h"

#include <string.h>

static const char bom[3] = {'\xef', '\xbb', '\xbf'};

struct field {
    const char *name, *value;
    size_t name_len, value_len;
};

static bool is_named(const struct field *f, const char *name) {
    return f->name_len == strlen(name) && !memcmp(f->name, name, f->name_len);
}

static void copy_or_empty(char *out, size_t size, const struct field *f) {
    size_t len = f->value_len < size ? f->value_len : 0;
    memcpy(out, f->value, len);
    out[len] = 0;
}

static void take_id(struct event_parser *p, const struct field *f) {
    if (f->value_len && memchr(f->value, 0, f->value_len)) return;
    copy_or_empty(p->id, sizeof p->id, f);
    p->has_id = true;
}

static void take_retry(struct event_parser *p, const struct field *f) {
    int64_t ms = 0;
    for (size_t i = 0; i < f->value_len; i++) {
        if (f->value[i] < '0' || f->value[i] > '9') return;
        ms = ms * 10 + (f->value[i] - '0');
        if (ms > INT32_MAX) ms = INT32_MAX;
    }
    if (f->value_len) p->retry_ms = (int32_t)ms;
}

// Copies a data line that is still in the caller's bytes.
static void copy_data(struct event_parser *p) {
    if (p->in_place) buf_add(&p->data, p->in_place, p->in_place_len);
    p->in_place = NULL;
}

static bool take_data(struct event_parser *p, const struct field *f, bool is_stable) {
    if (!p->has_data && is_stable) {
        p->in_place = f->value;
        p->in_place_len = f->value_len;
    } else {
        copy_data(p);
        if (p->has_data) buf_add(&p->data, "\n", 1);
        buf_add(&p->data, f->value, f->value_len);
    }
    p->has_data = true;
    return p->data.len <= EVENT_PARSER_MAX;
}

static bool take_field(struct event_parser *p, const char *line, size_t len, bool is_stable) {
    const char *colon = memchr(line, ':', len);
    struct field f = {.name = line, .name_len = len, .value = line + len};
    if (colon) {
        f.name_len = (size_t)(colon - line);
        f.value = colon + 1;
        if (f.value < line + len && *f.value == ' ') f.value++;
        f.value_len = (size_t)(line + len - f.value);
    }
    if (is_named(&f, "data")) return take_data(p, &f, is_stable);
    if (is_named(&f, "id"))
        take_id(p, &f);
    else if (is_named(&f, "event"))
        copy_or_empty(p->type, sizeof p->type, &f);
    else if (is_named(&f, "retry"))
        take_retry(p, &f);
    return true;
}

static void begin_event(struct event_parser *p) {
    p->in_place = NULL;
    p->has_id = p->has_data = false;
    p->type[0] = 0;
    buf_release(&p->data);
}

static void end_event(struct event_parser *p, event_parser_cb *on_event, void *arg) {
    struct event_parsed e = {.id = p->id, .has_id = p->has_id, .type = p->type};
    if (p->has_data) {
        e.data = p->in_place ? p->in_place : p->data.len ? p->data.data : "";
        e.data_len = p->in_place ? p->in_place_len : p->data.len;
    }
    memcpy(p->last_id, p->id, sizeof p->id);
    if (p->has_data || p->has_id) on_event(arg, &e);
    begin_event(p);
}

// `is_stable`: the line stays in place until the end of event_parser_feed().
static bool take_line(struct event_parser *p, const char *line, size_t len, bool is_stable,
                      event_parser_cb *on_event, void *arg) {
    if (len) return take_field(p, line, len, is_stable);
    end_event(p, on_event, arg);
    return true;
}

// Skips a byte order mark at the beginning of the stream; an incomplete one is text.
static size_t skip_bom(struct event_parser *p, const char *bytes, size_t len) {
    size_t i = 0;
    while (p->bom_matched < 3 && i < len && bytes[i] == bom[p->bom_matched]) {
        p->bom_matched++;
        i++;
    }
    if (p->bom_matched < 3 && i < len) {
        buf_add(&p->line, bom, p->bom_matched);
        p->bom_matched = 3;
    }
    return i;
}

static size_t event_line_length(const char *bytes, size_t len) {
    const char *end = memchr(bytes, '\n', len);
    if (end) len = (size_t)(end - bytes);
    const char *cr = memchr(bytes, '\r', len);
    return cr ? (size_t)(cr - bytes) : len;
}

// Ends the incomplete line, or takes one that is complete in `bytes`.
static bool end_line(struct event_parser *p, const char *bytes, size_t len, event_parser_cb *on_event,
                     void *arg) {
    if (!p->line.len) return take_line(p, bytes, len, true, on_event, arg);
    buf_add(&p->line, bytes, len);
    struct buf line = p->line;
    p->line = (struct buf){0};
    bool fine = line.len <= EVENT_PARSER_MAX && take_line(p, line.data, line.len, false, on_event, arg);
    buf_release(&line);
    return fine;
}

static bool take_bytes(struct event_parser *p, const char *bytes, size_t len, event_parser_cb *on_event,
                       void *arg) {
    size_t i = skip_bom(p, bytes, len);
    while (i < len) {
        bool rest_of_end = p->after_cr && bytes[i] == '\n';
        p->after_cr = false;
        if (rest_of_end) {
            i++;
            continue;
        }
        size_t line = event_line_length(bytes + i, len - i);
        if (i + line == len) {
            buf_add(&p->line, bytes + i, line);
            return p->line.len <= EVENT_PARSER_MAX;
        }
        if (!end_line(p, bytes + i, line, on_event, arg)) return false;
        p->after_cr = bytes[i + line] == '\r';
        i += line + 1;
    }
    return true;
}

bool event_parser_feed(struct event_parser *p, const char *bytes, size_t len, event_parser_cb *on_event,
                       void *arg) {
    bool fine = take_bytes(p, bytes, len, on_event, arg);
    copy_data(p);
    return fine;
}

void event_parser_reset(struct event_parser *p) {
    begin_event(p);
    buf_release(&p->line);
    memcpy(p->id, p->last_id, sizeof p->id);
    p->bom_matched = 0;
    p->after_cr = false;
}
