#include "statistics/report.h"

#include <stdio.h>
#include <string.h>

#include "service/body.h"

static const int64_t number_max = 9007199254740991;

static const struct report_field comment_api_fields[] = {
    {"totalComments", REPORT_NUMBER, REPORT_SUM, NULL},
    {"commentsByVideo", REPORT_COUNTS, REPORT_SUM, NULL},
    {"activeTopics", REPORT_LIST, 0, NULL},
    {"topicSubscribers", REPORT_COUNTS, REPORT_LARGEST, NULL},
    {0},
};

static const struct report_field reader_fields[] = {
    {"activeConnections", REPORT_NUMBER, REPORT_SUM, NULL},
    {"subscribedTopics", REPORT_LIST, 0, NULL},
    {"messagesSent", REPORT_NUMBER, REPORT_SUM, NULL},
    {0},
};

static const struct report_field manager_fields[] = {
    {"service", REPORT_TEXT, 0, "reader-api-manager"},
    {"registeredVideos", REPORT_NUMBER, REPORT_LARGEST, NULL},
    {"availableReaderApis", REPORT_NUMBER, REPORT_LARGEST, NULL},
    {"registrationCount", REPORT_NUMBER, REPORT_SUM, NULL},
    {"videoMappings", REPORT_TEXTS, 0, NULL},
    {0},
};

static const struct report_field client_fields[] = {
    {"userId", REPORT_TEXT, 0, NULL},
    {"videoId", REPORT_TEXT, 0, NULL},
    {"commentsGenerated", REPORT_NUMBER, REPORT_SUM, NULL},
    {"commentsConsumed", REPORT_NUMBER, REPORT_SUM, NULL},
    {"subscribedTopics", REPORT_LIST, 0, NULL},
    {"connectedReader", REPORT_TEXT, 0, NULL},
    {0},
};

const struct report_shape report_shapes[REPORT_KINDS] = {
    [REPORT_COMMENT_API] = {"instanceId", false, comment_api_fields},
    [REPORT_READER] = {"instanceId", true, reader_fields},
    [REPORT_MANAGER] = {"instanceId", false, manager_fields},
    [REPORT_CLIENT] = {"clientId", true, client_fields},
};

static bool refuse(struct report_refusal *refusal, const char *field, const char *what) {
    refusal->code = "invalid_field";
    snprintf(refusal->sentence, sizeof refusal->sentence, "%s must be %s.", field, what);
    return false;
}

static bool read_id(const struct report_shape *shape, const json_t *body, const char **id,
                    struct report_refusal *refusal) {
    const json_t *value = json_object_get(body, shape->id_field);
    *id = "";
    if (!value || json_is_null(value) || (json_is_string(value) && !json_string_length(value))) {
        if (!shape->id_required) return true;
        refusal->code = "missing_field";
        snprintf(refusal->sentence, sizeof refusal->sentence, "%s is required.", shape->id_field);
        return false;
    }
    if (!json_is_string(value) || !id_is_valid(json_string_value(value), json_string_length(value)))
        return refuse(refusal, shape->id_field, "1 to 128 characters of A-Z a-z 0-9 . _ ~ - : @");
    *id = json_string_value(value);
    return true;
}

// 5, 5.0 and 5e0 are the same number.
static bool read_number(const json_t *value, json_int_t *number) {
    if (json_is_real(value)) {
        double real = json_real_value(value);
        if (!(real >= 0 && real <= (double)number_max)) return false;
        *number = (json_int_t)real;
        return (double)*number == real;
    }
    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= 0 && *number <= number_max;
}

static bool is_text(const json_t *value) {
    return json_is_string(value) && json_string_length(value) <= REPORT_TEXT_MAX;
}

static json_t *read_list(const json_t *value) {
    if (!json_is_array(value)) return NULL;
    json_t *list = json_array(), *entry;
    size_t i;
    json_array_foreach(value, i, entry) {
        if (!is_text(entry)) {
            json_decref(list);
            return NULL;
        }
        if (i < REPORT_ENTRIES) json_array_append(list, entry);
    }
    return list;
}

// Returns the entry as it is kept, owned, or NULL.
static json_t *read_entry(json_t *value, enum report_type type) {
    json_int_t number;
    if (type == REPORT_COUNTS) return read_number(value, &number) ? json_integer(number) : NULL;
    return is_text(value) ? json_incref(value) : NULL;
}

static json_t *read_map(const json_t *value, enum report_type type) {
    if (!json_is_object(value)) return NULL;
    json_t *map = json_object(), *entry;
    const char *key;
    json_object_foreach((json_t *)value, key, entry) {
        if (json_is_null(entry)) continue; // a mapping that went away while the original read it
        json_t *kept = strlen(key) <= REPORT_TEXT_MAX ? read_entry(entry, type) : NULL;
        if (!kept) {
            json_decref(map);
            return NULL;
        }
        if (json_object_size(map) < REPORT_ENTRIES)
            json_object_set_new(map, key, kept);
        else
            json_decref(kept);
    }
    return map;
}

static json_t *make_missing(const struct report_field *f) {
    switch (f->type) {
    case REPORT_NUMBER: return json_integer(0);
    case REPORT_TEXT: return f->missing ? json_string(f->missing) : json_null();
    case REPORT_LIST: return json_array();
    case REPORT_COUNTS:
    case REPORT_TEXTS: break;
    }
    return json_object();
}

// Returns the field's value as it is kept, owned, or NULL.
static json_t *read_field(const struct report_field *f, json_t *value) {
    json_int_t number;
    if (!value || json_is_null(value)) return make_missing(f);
    switch (f->type) {
    case REPORT_NUMBER: return read_number(value, &number) ? json_integer(number) : NULL;
    case REPORT_TEXT: return is_text(value) ? json_incref(value) : NULL;
    case REPORT_LIST: return read_list(value);
    case REPORT_COUNTS:
    case REPORT_TEXTS: break;
    }
    return read_map(value, f->type);
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

json_t *report_read(enum report_kind kind, const json_t *body, const char **id,
                    struct report_refusal *refusal) {
    const struct report_shape *shape = &report_shapes[kind];
    if (!read_id(shape, body, id, refusal)) return NULL;
    json_t *report = json_object();
    json_object_set_new(report, shape->id_field, json_string(*id));
    for (const struct report_field *f = shape->fields; f->name; f++) {
        json_t *value = read_field(f, json_object_get(body, f->name));
        if (!value) {
            refuse(refusal, f->name, expected(f->type));
            json_decref(report);
            return NULL;
        }
        json_object_set_new(report, f->name, value);
    }
    return report;
}
