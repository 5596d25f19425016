#include "sse.h"

#include <stdlib.h>
#include <string.h>

// Returns the value if the line is of this field, or NULL.
static const char *field_value(const char *line, const char *name) {
    size_t len = strlen(name);
    if (strncmp(line, name, len) != 0) return NULL;
    if (!line[len]) return line + len;
    if (line[len] != ':') return NULL;
    return line + len + 1 + (line[len + 1] == ' ');
}

// As much of it as there is room for. Without printf: two of three lines.
static void keep_text(char *out, size_t size, const char *text) {
    size_t len = strnlen(text, size - 1);
    memcpy(out, text, len);
    out[len] = 0;
}

static void sse_take_line(struct sse *s, const char *line) {
    const char *value;
    if ((value = field_value(line, "data"))) {
        if (s->data.len) buf_add(&s->data, "\n", 1);
        buf_add_string(&s->data, value);
    } else if ((value = field_value(line, "id"))) {
        keep_text(s->id, sizeof s->id, value);
    } else if ((value = field_value(line, "event"))) {
        keep_text(s->type, sizeof s->type, value);
    } else if ((value = field_value(line, "retry")) && *value && !value[strspn(value, "0123456789")]) {
        s->retry_ms = (int)strtol(value, NULL, 10);
    }
}

static void sse_begin_event(struct sse *s) {
    buf_clear(&s->data);
    *s->id = *s->type = 0;
}

static bool sse_end_line(struct sse *s, bool (*on_event)(void *, const struct sse_event *), void *arg) {
    bool go_on = true;
    if (s->line.len && s->line.data[s->line.len - 1] == '\r') s->line.len--;
    if (s->line.len) {
        sse_take_line(s, buf_string(&s->line));
    } else if (s->data.len || *s->id) {
        struct sse_event e = {s->id, s->type, buf_string(&s->data), s->data.len};
        go_on = on_event(arg, &e);
        sse_begin_event(s);
    }
    buf_clear(&s->line);
    return go_on;
}

bool sse_feed(struct sse *s, const char *bytes, size_t len,
              bool (*on_event)(void *, const struct sse_event *), void *arg) {
    const char *end = bytes + len, *lf;
    while ((lf = memchr(bytes, '\n', (size_t)(end - bytes)))) {
        buf_add(&s->line, bytes, (size_t)(lf - bytes));
        bytes = lf + 1;
        if (!sse_end_line(s, on_event, arg)) return false;
    }
    buf_add(&s->line, bytes, (size_t)(end - bytes));
    return true;
}

void sse_reset(struct sse *s) {
    sse_begin_event(s);
    buf_clear(&s->line);
}
