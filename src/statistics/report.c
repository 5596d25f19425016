#include "statistics/report.h"

#include <stdio.h>
#include <string.h>

#include "base/json_reader.h"
#include "service/fields.h"

static const int64_t number_max = 9007199254740991;

static const struct report_field comment_api_fields[] = {
    {"totalComments", REPORT_NUMBER, REPORT_SUM, NULL, false},
    {"commentsByVideo", REPORT_COUNTS, REPORT_SUM, NULL, false},
    {"activeTopics", REPORT_LIST, 0, NULL, false},
    {"topicSubscribers", REPORT_COUNTS, REPORT_LARGEST, NULL, false},
    {"askedOn", REPORT_TEXT, .hidden = true},
    {0},
};

static const struct report_field reader_fields[] = {
    {"activeConnections", REPORT_NUMBER, REPORT_SUM, NULL, false},
    {"subscribedTopics", REPORT_LIST, 0, NULL, false},
    {"messagesSent", REPORT_NUMBER, REPORT_SUM, NULL, false},
    {"figures", REPORT_COUNTS, .hidden = true},
    {"delays", REPORT_COUNTS, .hidden = true}, // delay_bucket() => deliveries since the start
    {"askedOn", REPORT_TEXT, .hidden = true},
    // Of the videos with the most viewers, by video:
    {"viewersByVideo", REPORT_COUNTS, .hidden = true},
    {"commentsPer1000s", REPORT_COUNTS, .hidden = true}, // comments in 1,000 s
    {"ledgers", REPORT_TEXTS, .hidden = true},           // those that have changed (fleet_ledger.h)
    {0},
};

static const struct report_field manager_fields[] = {
    {"service", REPORT_TEXT, 0, "reader-api-manager", false},
    {"registeredVideos", REPORT_NUMBER, REPORT_LARGEST, NULL, false},
    {"availableReaderApis", REPORT_NUMBER, REPORT_LARGEST, NULL, false},
    {"registrationCount", REPORT_NUMBER, REPORT_SUM, NULL, false},
    {"videoMappings", REPORT_TEXTS, 0, NULL, false},
    {"askedOn", REPORT_TEXT, .hidden = true},
    {0},
};

static const struct report_field client_fields[] = {
    {"userId", REPORT_TEXT, 0, NULL, false},
    {"videoId", REPORT_TEXT, 0, NULL, false},
    {"commentsGenerated", REPORT_NUMBER, REPORT_SUM, NULL, false},
    {"commentsConsumed", REPORT_NUMBER, REPORT_SUM, NULL, false},
    {"subscribedTopics", REPORT_LIST, 0, NULL, false},
    {"connectedReader", REPORT_TEXT, 0, NULL, false},
    {0},
};

_Static_assert(sizeof reader_fields / sizeof *reader_fields == REPORT_FIELDS + 1, "no kind has more fields");

const struct report_shape report_shapes[REPORT_KINDS] = {
    [REPORT_COMMENT_API] = {"instanceId", false, comment_api_fields},
    [REPORT_READER] = {"instanceId", true, reader_fields},
    [REPORT_MANAGER] = {"instanceId", false, manager_fields},
    [REPORT_CLIENT] = {"clientId", true, client_fields},
};

// A field as parsed: its value, owned; or NULL if it is missing, or bad.
struct slot {
    json_t *value;
    bool bad;
};

struct reading {
    const struct report_shape *shape;
    struct json_reader *reader;
    struct slot slots[REPORT_FIELDS];
    struct slot id;
};

// Each report_take_ function parses a value whose first token is `token`, and returns a new reference, or
// NULL if the value does not fit. report_take_member() skips the rest of such a value.

static json_t *report_take_number(struct json_reader *reader, enum json_token token) {
    int64_t number;
    bool fits = token == JSON_TOKEN_NUMBER && json_reader_integer(reader, number_max, &number);
    return fits ? json_integer(number) : NULL;
}

// Returns the length of the text, or -1 if it does not fit.
static ptrdiff_t read_text(struct json_reader *reader, enum json_token token,
                           char text[REPORT_TEXT_MAX + 1]) {
    ptrdiff_t len = token == JSON_TOKEN_STRING ? json_reader_copy(reader, text, REPORT_TEXT_MAX + 1) : -1;
    return len < 0 || memchr(text, 0, (size_t)len) ? -1 : len;
}

static json_t *report_take_text(struct json_reader *reader, enum json_token token) {
    char text[REPORT_TEXT_MAX + 1];
    ptrdiff_t len = read_text(reader, token, text);
    return len < 0 ? NULL : json_stringn_nocheck(text, (size_t)len);
}

// Returns false for an entry that does not fit; moves past it in any case.
static bool report_take_entry(struct json_reader *reader, enum json_token token, json_t *list) {
    char text[REPORT_TEXT_MAX + 1];
    ptrdiff_t len = read_text(reader, token, text);
    if (len >= 0 && json_array_size(list) < REPORT_ENTRIES)
        json_array_append_new(list, json_stringn_nocheck(text, (size_t)len));
    return json_reader_skip(reader) && len >= 0;
}

static json_t *report_take_list(struct json_reader *reader, enum json_token token) {
    if (token != JSON_TOKEN_ARRAY) return NULL;
    json_t *list = json_array();
    bool fits = true;
    while ((token = json_reader_next(reader)) > JSON_TOKEN_END && token != JSON_TOKEN_ARRAY_END)
        fits &= report_take_entry(reader, token, list);
    if (fits && token == JSON_TOKEN_ARRAY_END) return list;
    json_decref(list);
    return NULL;
}

// Parses a member of a map. null removes the key: the original sends it for a mapping that vanished while it
// was read.
static bool report_take_pair(struct json_reader *reader, enum report_type type, json_t *map) {
    char key[REPORT_TEXT_MAX + 1];
    ptrdiff_t len = read_text(reader, JSON_TOKEN_STRING, key);
    enum json_token token = json_reader_next(reader);
    if (len >= 0 && token == JSON_TOKEN_NULL) {
        json_object_del(map, key);
        return true;
    }
    json_t *value =
        type == REPORT_COUNTS ? report_take_number(reader, token) : report_take_text(reader, token);
    bool fits = len >= 0 && value;
    if (fits && (json_object_size(map) < REPORT_ENTRIES || json_object_get(map, key)))
        json_object_set_nocheck(map, key, value);
    json_decref(value);
    return json_reader_skip(reader) && fits;
}

static json_t *report_take_map(struct json_reader *reader, enum json_token token, enum report_type type) {
    if (token != JSON_TOKEN_OBJECT) return NULL;
    json_t *map = json_object();
    bool fits = true;
    while ((token = json_reader_next(reader)) == JSON_TOKEN_KEY) fits &= report_take_pair(reader, type, map);
    if (fits && token == JSON_TOKEN_OBJECT_END) return map;
    json_decref(map);
    return NULL;
}

static json_t *report_take_value(struct json_reader *reader, enum json_token token, enum report_type type) {
    switch (type) {
    case REPORT_NUMBER: return report_take_number(reader, token);
    case REPORT_TEXT: return report_take_text(reader, token);
    case REPORT_LIST: return report_take_list(reader, token);
    case REPORT_COUNTS:
    case REPORT_TEXTS: break;
    }
    return report_take_map(reader, token, type);
}

// Parses or skips the member whose key is the last token.
static bool report_take_member(struct reading *g) {
    struct slot *slot = NULL;
    enum report_type type = REPORT_TEXT;
    if (json_reader_equals(g->reader, g->shape->id_field)) slot = &g->id;
    for (int i = 0; !slot && g->shape->fields[i].name; i++) {
        if (!json_reader_equals(g->reader, g->shape->fields[i].name)) continue;
        slot = &g->slots[i];
        type = g->shape->fields[i].type;
    }
    enum json_token token = json_reader_next(g->reader);
    uint32_t outside = g->reader->depth - (token == JSON_TOKEN_OBJECT || token == JSON_TOKEN_ARRAY);
    if (slot) {
        json_decref(slot->value); // of a repeated key the last counts
        slot->value = token == JSON_TOKEN_NULL ? NULL : report_take_value(g->reader, token, type);
        slot->bad = token != JSON_TOKEN_NULL && !slot->value;
    }
    while (g->reader->depth > outside) // skips what was not parsed
        if (json_reader_next(g->reader) == JSON_TOKEN_ERROR) return false;
    return g->reader->last != JSON_TOKEN_ERROR;
}

static bool report_take_object(struct reading *g) {
    enum json_token token = json_reader_next(g->reader);
    if (token != JSON_TOKEN_OBJECT) return false;
    while ((token = json_reader_next(g->reader)) == JSON_TOKEN_KEY)
        if (!report_take_member(g)) return false;
    return token == JSON_TOKEN_OBJECT_END && json_reader_next(g->reader) == JSON_TOKEN_END;
}

static bool report_refuse(struct report_refusal *refusal, const char *field, const char *what) {
    refusal->code = "invalid_field";
    snprintf(refusal->sentence, sizeof refusal->sentence, "%s must be %s.", field, what);
    return false;
}

static const char *expected(enum report_type type) {
    switch (type) {
    case REPORT_NUMBER: return "a whole number from 0 to 9007199254740991";
    case REPORT_TEXT: return "a string of at most 512 bytes";
    case REPORT_LIST: return "an array of strings of at most 512 bytes";
    case REPORT_COUNTS: return "an object whose values are whole numbers from 0 to 9007199254740991";
    case REPORT_TEXTS: break;
    }
    return "an object whose values are strings of at most 512 bytes";
}

static bool report_check(const struct reading *g, struct report_refusal *refusal) {
    const char *id = json_string_value(g->id.value);
    if (g->id.bad || (id && *id && !id_is_valid(id, strlen(id))))
        return report_refuse(refusal, g->shape->id_field,
                             "1 to 128 characters of A-Z a-z 0-9 . _ ~ - : @, and not . or .. alone");
    if ((!id || !*id) && g->shape->id_required) {
        refusal->code = "missing_field";
        snprintf(refusal->sentence, sizeof refusal->sentence, "%s is required.", g->shape->id_field);
        return false;
    }
    for (int i = 0; g->shape->fields[i].name; i++)
        if (g->slots[i].bad)
            return report_refuse(refusal, g->shape->fields[i].name, expected(g->shape->fields[i].type));
    return true;
}

static json_t *report_make_missing(const struct report_field *f) {
    switch (f->type) {
    case REPORT_NUMBER: return json_integer(0);
    case REPORT_TEXT: return f->missing ? json_string(f->missing) : json_null();
    case REPORT_LIST: return json_array();
    case REPORT_COUNTS:
    case REPORT_TEXTS: break;
    }
    return json_object();
}

// Returns the id, then the fields in the order of the shape.
static json_t *report_make(struct reading *g) {
    const char *id = json_string_value(g->id.value);
    json_t *report = json_object();
    json_object_set_new(report, g->shape->id_field, json_string(id ? id : ""));
    for (int i = 0; g->shape->fields[i].name; i++) {
        json_t *value = g->slots[i].value;
        json_object_set_new(report, g->shape->fields[i].name,
                            value ? value : report_make_missing(&g->shape->fields[i]));
        g->slots[i].value = NULL;
    }
    return report;
}

json_t *report_read(enum report_kind kind, struct json_reader *reader, struct report_refusal *refusal) {
    struct reading g = {.shape = &report_shapes[kind], .reader = reader};
    json_t *report = NULL;
    refusal->code = NULL;
    if (report_take_object(&g) && report_check(&g, refusal)) report = report_make(&g);
    json_decref(g.id.value);
    for (int i = 0; i < REPORT_FIELDS; i++) json_decref(g.slots[i].value);
    return report;
}
