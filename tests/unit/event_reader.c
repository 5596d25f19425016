#include "event_reader.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"

// An id without data is noted as an event, too: `number`.
static void dispatch(struct event_reader *r) {
    bool is_number = r->has_id && !r->has_data;
    if (is_number) {
        buf_clear(&r->type);
        buf_add_string(&r->type, "number");
        buf_printf(&r->data, "%s\n", buf_string(&r->id));
    }
    if (r->has_data || is_number) {
        if (r->count == r->room) {
            r->room = r->room ? r->room * 2 : 16;
            r->events = mem_realloc(r->events, r->room * sizeof *r->events);
        }
        r->events[r->count++] = (struct event){
            .id = mem_strdup(buf_string(&r->id)),
            .type = mem_strdup(r->type.len ? buf_string(&r->type) : "message"),
            .data = mem_strndup(r->data.data ? r->data.data : "", r->data.len - 1), // less the last LF
        };
    }
    buf_clear(&r->data);
    buf_clear(&r->type);
    r->has_data = r->has_id = false;
}

static void set(struct buf *b, const char *value, size_t len) {
    buf_clear(b);
    buf_add(b, value, len);
}

static bool is_field(const char *name, size_t len, const char *wanted) {
    return len == strlen(wanted) && !memcmp(name, wanted, len);
}

static void take_line(struct event_reader *r, const char *line, size_t len) {
    if (!len) {
        dispatch(r);
        return;
    }
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon ? (size_t)(colon - line) : len;
    const char *value = colon ? colon + 1 : line + len;
    size_t value_len = (size_t)(line + len - value);
    if (value_len && *value == ' ') {
        value++;
        value_len--;
    }
    if (colon == line) {
        r->comments++;
    } else if (is_field(line, name_len, "data")) {
        buf_add(&r->data, value, value_len);
        buf_add_string(&r->data, "\n");
        r->has_data = true;
    } else if (is_field(line, name_len, "id")) {
        set(&r->id, value, value_len);
        r->has_id = true;
    } else if (is_field(line, name_len, "event")) {
        set(&r->type, value, value_len);
    } else if (is_field(line, name_len, "retry")) {
        char *number = mem_strndup(value, value_len);
        r->retry_ms = strtol(number, NULL, 10);
        free(number);
    }
}

void event_reader_add(struct event_reader *r, const char *bytes, size_t len) {
    r->bytes += len;
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        bool second_half = c == '\n' && r->after_cr;
        r->after_cr = c == '\r';
        if (second_half) continue;
        if (c != '\n' && c != '\r') {
            buf_add(&r->line, &c, 1);
            continue;
        }
        take_line(r, r->line.data, r->line.len);
        buf_clear(&r->line);
    }
}

bool event_reader_is_whole(const struct event_reader *r) {
    return !r->line.len && !r->has_data && !r->type.len;
}

static void add_text(struct event_reader *r, const struct event *e) {
    struct buf *out = &r->text;
    json_t *json = json_loads(e->data, 0, NULL);
    const char *id = json_string_value(json_object_get(json, "id"));
    if (!strcmp(e->type, "gap")) {
        char *missed = json_dumps(json_object_get(json, "missed"), JSON_ENCODE_ANY);
        id = json_string_value(json_object_get(json, "to"));
        buf_printf(out, "gap(%s..%s %s %s)", json_string_value(json_object_get(json, "from")), id,
                   missed ? missed : "nothing", json_string_value(json_object_get(json, "reason")));
        free(missed);
    } else {
        if (strcmp(e->type, "message") != 0) buf_printf(out, "%s=", e->type);
        buf_add_string(out, id ? id : e->data);
    }
    if (id && strcmp(id, e->id) != 0) buf_printf(out, "!id=%s", e->id);
    json_int_t more = json_integer_value(json_object_get(json, "more"));
    if (more) buf_printf(out, "+%d", (int)more);
    json_decref(json);
}

const char *event_reader_text(struct event_reader *r) {
    buf_clear(&r->text);
    for (size_t i = 0; i < r->count; i++) {
        if (i) buf_add_string(&r->text, " ");
        add_text(r, &r->events[i]);
    }
    if (!event_reader_is_whole(r)) buf_add_string(&r->text, " ...");
    return buf_string(&r->text);
}

void event_reader_release(struct event_reader *r) {
    for (size_t i = 0; i < r->count; i++) {
        free(r->events[i].id);
        free(r->events[i].type);
        free(r->events[i].data);
    }
    free(r->events);
    struct buf *const bufs[] = {&r->line, &r->id, &r->type, &r->data, &r->text};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) buf_release(bufs[i]);
    *r = (struct event_reader){0};
}
