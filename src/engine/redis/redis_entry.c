#include "redis_entry.h"

#include <stdio.h>
#include <string.h>

// In front of the body where it is no comment. No member that a comment begins with has that name.
static const char kind_member[] = ",\"kind\":";

// Reads `<name><position>"` at *at, and goes behind it.
static bool take_position(const char **at, const char *end, const char *name, struct position *p) {
    size_t len = strlen(name);
    if ((size_t)(end - *at) <= len || memcmp(*at, name, len) != 0) return false;
    const char *text = *at + len;
    const char *quote = memchr(text, '"', (size_t)(end - text));
    if (!quote || !position_parse(text, (size_t)(quote - text), p)) return false;
    *at = quote + 1;
    return true;
}

static void take_kind(const char **at, const char *end, enum entry_kind *kind) {
    size_t len = sizeof kind_member - 1;
    unsigned value = 0, digits = 0;
    if ((size_t)(end - *at) <= len || memcmp(*at, kind_member, len) != 0) return;
    const char *p = *at + len;
    for (; p < end && *p >= '0' && *p <= '9' && digits < 3; p++, digits++)
        value = 10 * value + (unsigned)(*p - '0');
    if (!digits || (*p != ',' && *p != '}')) return;
    *kind = (enum entry_kind)value;
    *at = p;
}

bool redis_entry_read(struct engine_entry *e, const char *json, size_t len) {
    *e = (struct engine_entry){.kind = ENTRY_COMMENT, .json = json, .json_len = len};
    if (len < 2 || json[0] != '{' || json[len - 1] != '}') return false;
    const char *at = json, *end = json + len;
    if (!take_position(&at, end, "{\"id\":\"", &e->at)) return true;
    take_position(&at, end, ",\"prev\":\"", &e->prev);
    take_kind(&at, end, &e->kind);
    if (end - at == 1) { // nothing but a number
        e->kind = ENTRY_TOMBSTONE;
        e->json_len = 0;
    }
    return true;
}

static char *add(char *to, const char *text, size_t len) {
    memcpy(to, text, len);
    return to + len;
}

void redis_entry_write(struct engine_entry *e, const char *body, size_t body_len, char *out) {
    static const char before_id[] = "{\"id\":\"", before_prev[] = "\",\"prev\":\"";
    e->json = "";
    e->json_len = 0;
    if (!body_len) return;
    char *to = add(out, before_id, sizeof before_id - 1);
    to += position_format(e->at, to);
    if (position_is_set(e->prev)) {
        to = add(to, before_prev, sizeof before_prev - 1);
        to += position_format(e->prev, to);
    }
    *to++ = '"';
    if (e->kind != ENTRY_COMMENT) to += snprintf(to, 16, "%s%u", kind_member, (unsigned)e->kind);
    *to++ = ',';
    to = add(to, body, body_len);
    e->json = out;
    e->json_len = (size_t)(to - out);
}
