#include "service/room_patch.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/json_reader.h"
#include "http/exchange.h"
#include "service/fields.h"

enum room_type { ROOM_NUMBER, ROOM_FLAG, ROOM_UNIQUE, ROOM_BADGE_LIST };

static const struct room_field {
    const char *name;
    enum room_type type;
    size_t at; // in struct engine_room
    int64_t max;
} room_fields[] = {
    {"slow_ms", ROOM_NUMBER, offsetof(struct engine_room, slow_ms), ROOM_SLOW_MAX_MS},
    {"rate", ROOM_NUMBER, offsetof(struct engine_room, rate), ROOM_RATE_MAX},
    {"max_length", ROOM_NUMBER, offsetof(struct engine_room, max_length), COMMENT_MAX},
    {"only", ROOM_BADGE_LIST, offsetof(struct engine_room, only), 0},
    {"unique", ROOM_UNIQUE, offsetof(struct engine_room, repeat_ms), ROOM_REPEAT_MS},
    {"delay_ms", ROOM_NUMBER, offsetof(struct engine_room, delay_ms), ROOM_DELAY_MAX_MS},
    {"hold", ROOM_FLAG, offsetof(struct engine_room, hold), 0},
    {"frozen", ROOM_FLAG, offsetof(struct engine_room, frozen), 0},
    {"readable_rate", ROOM_NUMBER, offsetof(struct engine_room, readable_rate), ROOM_RATE_MAX},
};
enum { ROOM_FIELDS = sizeof room_fields / sizeof *room_fields };

static void *value_of(struct engine_room *r, const struct room_field *f) {
    return (char *)r + f->at;
}

static size_t size_of(const struct room_field *f) {
    switch (f->type) {
    case ROOM_FLAG: return sizeof(bool);
    case ROOM_BADGE_LIST: return ROOM_ONLY_SIZE;
    default: return sizeof(int64_t);
    }
}

static bool refuse(struct http_exchange *x, const struct room_field *f) {
    char what[128] = "must be true, false or null.";
    if (f->type == ROOM_NUMBER)
        snprintf(what, sizeof what, "must be an integer from 0 to %lld, or null.", (long long)f->max);
    if (f->type == ROOM_BADGE_LIST)
        snprintf(what, sizeof what, "must be a list of at most %d badges, each of 1 to %d characters.",
                 ROOM_BADGES, ROOM_BADGE_MAX);
    refuse_field(x, f->name, what);
    return false;
}

// Reads the rest of a list, into badges with commas between.
static bool read_badges(struct json_reader *r, char *only) {
    char badge[ROOM_BADGE_MAX + 1];
    if (r->last != JSON_TOKEN_ARRAY) return false;
    for (int count = 0; json_reader_next(r) != JSON_TOKEN_ARRAY_END; count++) {
        if (count == ROOM_BADGES || r->last != JSON_TOKEN_STRING) return false;
        ptrdiff_t len = json_reader_copy(r, badge, sizeof badge);
        if (len <= 0 || !id_has_bytes(badge, (size_t)len)) return false;
        only += snprintf(only, ROOM_BADGE_MAX + 2, "%s%s", count ? "," : "", badge);
    }
    return true;
}

// Reads the value of a member, whose first token is the last one.
static bool read_value(struct json_reader *r, const struct room_field *f, void *value) {
    bool yes = r->last == JSON_TOKEN_TRUE, is_flag = yes || r->last == JSON_TOKEN_FALSE;
    if (r->last == JSON_TOKEN_NULL) return true;
    switch (f->type) {
    case ROOM_NUMBER: return r->last == JSON_TOKEN_NUMBER && json_reader_integer(r, f->max, value);
    case ROOM_FLAG: *(bool *)value = yes; return is_flag;
    case ROOM_UNIQUE: *(int64_t *)value = yes ? f->max : 0; return is_flag;
    case ROOM_BADGE_LIST: return read_badges(r, value);
    }
    return false;
}

bool room_patch_read(struct http_exchange *x, struct room_patch *p) {
    struct json_reader r;
    *p = (struct room_patch){0};
    body_begin(x->request, &r);
    bool is_object = json_reader_next(&r) == JSON_TOKEN_OBJECT;
    while (is_object && json_reader_next(&r) == JSON_TOKEN_KEY) {
        unsigned i = 0;
        while (i < ROOM_FIELDS && !json_reader_equals(&r, room_fields[i].name)) i++;
        json_reader_next(&r);
        if (i < ROOM_FIELDS) {
            void *value = value_of(&p->to, &room_fields[i]);
            memset(value, 0, size_of(&room_fields[i]));
            p->sets |= 1u << i;
            if (r.last != JSON_TOKEN_ERROR && !read_value(&r, &room_fields[i], value) &&
                r.last != JSON_TOKEN_ERROR)
                return refuse(x, &room_fields[i]);
        } else if (!json_reader_skip(&r)) {
            break;
        }
    }
    if (is_object && r.last == JSON_TOKEN_OBJECT_END && json_reader_next(&r) == JSON_TOKEN_END) return true;
    body_refuse(x, &r);
    return false;
}

bool room_patch_apply(const struct room_patch *p, struct engine_room *room) {
    struct engine_room before = *room, to = p->to;
    bool changes = false;
    for (unsigned i = 0; i < ROOM_FIELDS; i++) {
        const struct room_field *f = &room_fields[i];
        if (!(p->sets & 1u << i)) continue;
        changes |= memcmp(value_of(&before, f), value_of(&to, f), size_of(f)) != 0;
        memcpy(value_of(room, f), value_of(&to, f), size_of(f));
    }
    return changes;
}

static json_t *badges_json(const char *only) {
    json_t *list = json_array();
    for (size_t n; *only; only += n + (only[n] == ',')) {
        n = strcspn(only, ",");
        json_array_append_new(list, json_stringn(only, n));
    }
    return list;
}

static json_t *fields_json(const struct engine_room *room, unsigned which) {
    struct engine_room r = *room;
    json_t *json = json_object();
    for (unsigned i = 0; i < ROOM_FIELDS; i++) {
        const struct room_field *f = &room_fields[i];
        const void *value = value_of(&r, f);
        json_t *member = NULL;
        if (!(which & 1u << i)) continue;
        switch (f->type) {
        case ROOM_NUMBER: member = json_integer(*(const int64_t *)value); break;
        case ROOM_FLAG: member = json_boolean(*(const bool *)value); break;
        case ROOM_UNIQUE: member = json_boolean(*(const int64_t *)value != 0); break;
        case ROOM_BADGE_LIST: member = badges_json(value); break;
        }
        json_object_set_new(json, f->name, member);
    }
    return json;
}

json_t *room_patch_sets_json(const struct room_patch *p) {
    return fields_json(&p->to, p->sets);
}

json_t *room_patch_json(const struct engine_room *room) {
    json_t *json = fields_json(room, UINT_MAX);
    char pinned[POSITION_TEXT_SIZE];
    position_format(room->pinned, pinned);
    json_object_set_new(json, "over", json_boolean(room->over));
    json_object_set_new(json, "pinned", position_is_set(room->pinned) ? json_string(pinned) : json_null());
    json_object_set_new(json, "revision", json_integer((json_int_t)room->revision));
    return json;
}
