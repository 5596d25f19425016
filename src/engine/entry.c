#include "engine/entry.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

static const struct {
    const char *name;
    enum entry_shown shown;
} kinds[] = {
#define ENTRY_KIND_ROW(constant, number, name, shown) [constant] = {name, shown},
    ENTRY_KINDS(ENTRY_KIND_ROW)
#undef ENTRY_KIND_ROW
};

const char *entry_kind_name(enum entry_kind kind) {
    return (size_t)kind < sizeof kinds / sizeof *kinds ? kinds[kind].name : NULL;
}

enum entry_shown entry_shown(enum entry_kind kind) {
    return entry_kind_name(kind) ? kinds[kind].shown : SHOWN_NOTHING;
}

// The user is the body's first member; ids need no escaping. What looks the same in a text has its quotes
// escaped.
bool entry_is_by(const struct engine_entry *e, const char *user) {
    static const char name[] = "\"userid\":\"";
    size_t len = strlen(user), most = sizeof name - 1 + len + 1;
    const char *at = e->body;
    return e->kind == ENTRY_COMMENT && e->body_len >= most && !memcmp(at, name, sizeof name - 1) &&
           !memcmp(at + sizeof name - 1, user, len) && at[most - 1] == '"';
}

// Returns the text of the body's first member, if that is called so.
static const char *entry_first(const struct engine_entry *e, const char *name, size_t *len) {
    size_t start = strlen(name);
    if (e->body_len <= start || memcmp(e->body, name, start) != 0) return NULL;
    const char *text = e->body + start, *quote = memchr(text, '"', e->body_len - start);
    *len = quote ? (size_t)(quote - text) : 0;
    return quote ? text : NULL;
}

bool entry_target(const struct engine_entry *e, struct position *target) {
    size_t len;
    const char *text = entry_first(e, "\"target\":\"", &len);
    return text && position_parse(text, len, target);
}

bool entry_user(const struct engine_entry *e, char *user, size_t size) {
    size_t len;
    const char *text = entry_first(e, "\"userid\":\"", &len);
    if (!text || !len || len >= size) return false;
    memcpy(user, text, len);
    user[len] = 0;
    return true;
}

int64_t entry_missed(struct position last, const struct engine_entry *e, struct position *from,
                     struct position *to) {
    *from = position_is_set(last) ? (struct position){last.epoch, last.seq + 1}
                                  : (struct position){e->at.epoch, 1};
    *to = (struct position){e->at.epoch, e->at.seq - 1};
    if (!position_is_set(last)) return e->at.seq > 1 ? (int64_t)e->at.seq - 1 : 0;
    if (last.epoch == e->at.epoch) return (int64_t)(e->at.seq - last.seq) - 1;
    if (e->at.seq > 1) return -1;
    if (position_compare(e->prev, last) <= 0) return 0;
    *to = e->prev;
    return e->prev.epoch == last.epoch ? (int64_t)(e->prev.seq - last.seq) : -1;
}

// Writing

enum { NAME_MAX_LEN = 32 };
static const char before_id[] = "\"id\":\"", before_type[] = "\"type\":\"";

static char *entry_put(char *to, const char *text, size_t len) {
    memcpy(to, text, len);
    return to + len;
}

void entry_write(struct buf *b, const struct engine_entry *e) {
    char *begin = buf_reserve(b, e->body_len + NAME_MAX_LEN + POSITION_TEXT_SIZE + 32), *to = begin;
    *to++ = '{';
    if (entry_shown(e->kind) == SHOWN_NAMED) {
        const char *name = entry_kind_name(e->kind);
        to = entry_put(to, before_type, sizeof before_type - 1);
        to = entry_put(to, name, strnlen(name, NAME_MAX_LEN));
        to = entry_put(to, "\",", 2);
    }
    if (position_is_set(e->at)) {
        to = entry_put(to, before_id, sizeof before_id - 1);
        to += position_format(e->at, to);
        to = entry_put(to, "\",", e->body_len ? 2 : 1);
    }
    if (e->body_len) to = entry_put(to, e->body, e->body_len);
    *to++ = '}';
    b->len += (size_t)(to - begin);
}

// Reading

// A comment's last member is the time at which it was posted.
int64_t entry_posted_ms(const struct engine_entry *e) {
    static const char name[] = "\"timestamp\":\"";
    enum { NAME_LEN = sizeof name - 1, LEN = NAME_LEN + CLOCK_ISO8601_LEN + 1 };
    if (e->body_len < LEN) return 0;
    const char *member = e->body + e->body_len - LEN;
    if (memcmp(member, name, NAME_LEN) != 0) return 0;
    int64_t posted_ms = clock_read_iso8601(member + NAME_LEN);
    return posted_ms > 0 ? posted_ms : 0;
}

// Moves *at past `name`, if it begins with that.
static bool entry_take(const char **at, const char *end, const char *name, size_t len) {
    if ((size_t)(end - *at) <= len || memcmp(*at, name, len) != 0) return false;
    *at += len;
    return true;
}

// Reads `<position>"` that follows `name`.
static bool entry_take_position(const char **at, const char *end, const char *name, struct position *p) {
    const char *text = *at;
    if (!entry_take(&text, end, name, strlen(name))) return false;
    const char *quote = memchr(text, '"', (size_t)(end - text));
    if (!quote || !position_parse(text, (size_t)(quote - text), p)) return false;
    *at = quote + 1;
    return true;
}

static void entry_take_kind(const char **at, const char *end, enum entry_kind *kind) {
    static const char name[] = ",\"kind\":";
    const char *p = *at;
    unsigned value = 0, digits = 0;
    if (!entry_take(&p, end, name, sizeof name - 1)) return;
    for (; *p >= '0' && *p <= '9' && digits < 3; p++, digits++) value = 10 * value + (unsigned)(*p - '0');
    if (!digits || (*p != ',' && *p != '}')) return;
    *kind = (enum entry_kind)value;
    *at = p;
}

bool entry_read(struct engine_entry *e, const char *json, size_t len) {
    *e = (struct engine_entry){.kind = ENTRY_COMMENT};
    if (len < 2 || json[0] != '{' || json[len - 1] != '}') return false;
    const char *at = json, *end = json + len; // the brace at the end stops every search
    if (entry_take_position(&at, end, "{\"id\":\"", &e->at)) {
        entry_take_position(&at, end, ",\"prev\":\"", &e->prev);
        if (end - at == 1) e->kind = ENTRY_TOMBSTONE;
        entry_take_kind(&at, end, &e->kind);
    }
    if (*at != ',' && end - at != 1) { // not as we write it
        *e = (struct engine_entry){.kind = ENTRY_COMMENT};
        at = json;
    }
    e->body = end - at == 1 ? at : at + 1;
    e->body_len = (size_t)(end - 1 - e->body);
    return true;
}
