#include "figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/uthash.h"

struct instance {
    int64_t seen_ms;
    bool can_be_asked, awaited;
    uint64_t numbers[REPORT_NUMBERS]; // the report's numbers, in the order of its fields
    json_t *row;                      // the report, or NULL: only its numbers are kept
    json_t *hidden;                   // its hidden fields, or NULL
    struct instance *prev, *next;     // in table->by_age
    struct instance *row_prev, *row_next;
    UT_hash_handle hh;
    char id[];
};

struct report_table {
    struct instance *by_id;
    struct instance *by_age; // longest silent first
    struct instance *rows;   // those with a row, in the order of their first report
    unsigned row_count;
    uint64_t totals[REPORT_NUMBERS]; // sums over all instances, modulo 2^64
};

struct figures {
    int64_t silent_ms;
    uint64_t version;
    unsigned awaited;
    struct report_table tables[REPORT_KINDS];
};

struct figures *figures_new(int64_t silent_ms) {
    struct figures *f = mem_zalloc(sizeof *f);
    f->silent_ms = silent_ms;
    return f;
}

// Takes the instance's report out of the table's totals.
static void figures_withdraw(struct report_table *t, struct instance *i) {
    for (int n = 0; n < REPORT_NUMBERS; n++) t->totals[n] -= i->numbers[n];
    DL_DELETE(t->by_age, i);
}

static void figures_answered(struct figures *f, struct instance *i) {
    f->awaited -= i->awaited;
    i->awaited = false;
}

static void figures_drop(struct figures *f, struct report_table *t, struct instance *i) {
    figures_answered(f, i);
    figures_withdraw(t, i);
    json_decref(i->hidden);
    if (i->row) {
        DL_DELETE2(t->rows, i, row_prev, row_next);
        json_decref(i->row);
        t->row_count--;
    }
    HASH_DEL(t->by_id, i);
    free(i);
}

void figures_free(struct figures *f) {
    if (!f) return;
    for (int kind = 0; kind < REPORT_KINDS; kind++) {
        struct report_table *t = &f->tables[kind];
        while (t->by_age) figures_drop(f, t, t->by_age);
    }
    free(f);
}

void figures_expire(struct figures *f, int64_t now_ms) {
    for (int kind = 0; kind < REPORT_KINDS; kind++) {
        struct report_table *t = &f->tables[kind];
        while (t->by_age && now_ms - t->by_age->seen_ms >= f->silent_ms) {
            figures_drop(f, t, t->by_age);
            f->version++;
        }
    }
}

static struct instance *figures_add(struct figures *f, enum report_kind kind, const char *id) {
    struct report_table *t = &f->tables[kind];
    unsigned max = kind == REPORT_CLIENT ? FIGURES_CLIENTS : FIGURES_INSTANCES;
    if (HASH_COUNT(t->by_id) == max) figures_drop(f, t, t->by_age);
    size_t len = strlen(id);
    struct instance *i = mem_zalloc(sizeof *i + len + 1);
    memcpy(i->id, id, len + 1);
    HASH_ADD_KEYPTR(hh, t->by_id, i->id, len, i);
    return i;
}

static void figures_keep_numbers(struct report_table *t, struct instance *i,
                                 const struct report_field *fields, const json_t *report) {
    int n = 0;
    for (const struct report_field *f = fields; f->name; f++) {
        if (f->type != REPORT_NUMBER) continue;
        i->numbers[n] = (uint64_t)json_integer_value(json_object_get(report, f->name));
        t->totals[n] += i->numbers[n];
        n++;
    }
}

// Keeps the report if the instance has a row, or there is room for another.
static void figures_keep_row(struct report_table *t, enum report_kind kind, struct instance *i,
                             json_t *report) {
    unsigned max = kind == REPORT_CLIENT ? REPORT_ENTRIES : FIGURES_INSTANCES;
    if (i->row) {
        json_decref(i->row);
    } else if (t->row_count < max) {
        DL_APPEND2(t->rows, i, row_prev, row_next);
        t->row_count++;
    } else {
        json_decref(report);
        return;
    }
    i->row = report;
}

// Takes the hidden fields out of a report.
static json_t *report_take_hidden(json_t *report, const struct report_field *f) {
    json_t *hidden = NULL;
    for (; f->name; f++) {
        json_t *value = f->hidden ? json_object_get(report, f->name) : NULL;
        if (!value) continue;
        if (!hidden) hidden = json_object();
        json_object_set(hidden, f->name, value);
        json_object_del(report, f->name);
    }
    return hidden;
}

static json_t *wall_time(int64_t wall_ms) {
    char text[CLOCK_ISO8601_SIZE];
    clock_iso8601(wall_ms, text);
    return json_string(text);
}

bool figures_take(struct figures *f, enum report_kind kind, struct json_reader *body, int64_t now_ms,
                  int64_t wall_ms, struct report_refusal *refusal) {
    json_t *report = report_read(kind, body, refusal);
    if (!report) return false;
    const char *id = json_string_value(json_object_get(report, report_shapes[kind].id_field));
    json_object_set_new(report, "lastUpdated", wall_time(wall_ms));
    figures_expire(f, now_ms);
    struct report_table *t = &f->tables[kind];
    struct instance *i;
    HASH_FIND_STR(t->by_id, id, i);
    if (i)
        figures_withdraw(t, i);
    else
        i = figures_add(f, kind, id);
    i->seen_ms = now_ms;
    DL_APPEND(t->by_age, i);
    figures_keep_numbers(t, i, report_shapes[kind].fields, report);
    json_decref(i->hidden);
    i->hidden = report_take_hidden(report, report_shapes[kind].fields);
    i->can_be_asked = json_is_string(json_object_get(i->hidden, "askedOn"));
    figures_answered(f, i);
    figures_keep_row(t, kind, i, report);
    f->version++;
    return true;
}

void figures_ask(struct figures *f) {
    for (int kind = 0; kind < REPORT_KINDS; kind++) {
        struct instance *i;
        DL_FOREACH(f->tables[kind].by_age, i) {
            f->awaited += i->can_be_asked && !i->awaited;
            i->awaited |= i->can_be_asked;
        }
    }
}

bool figures_are_awaited(const struct figures *f) {
    return f->awaited > 0;
}

void figures_give_up(struct figures *f) {
    for (int kind = 0; kind < REPORT_KINDS; kind++) {
        struct instance *i;
        DL_FOREACH(f->tables[kind].by_age, i) {
            if (!i->awaited) continue;
            figures_answered(f, i);
            i->can_be_asked = false;
        }
    }
}

uint64_t figures_version(const struct figures *f) {
    return f->version;
}

static json_t *json_count(uint64_t value) {
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

#define FOREACH_ROW(table, i) for (struct instance *i = (table)->rows; i; i = i->row_next)

static struct figures_report report_of(const struct instance *i) {
    return (struct figures_report){
        .id = i->id, .seen_ms = i->seen_ms, .numbers = i->numbers, .hidden = i->hidden};
}

struct figures_report figures_last(const struct figures *f, enum report_kind kind) {
    return report_of(f->tables[kind].by_age->prev);
}

void figures_each(const struct figures *f, enum report_kind kind,
                  void (*on_report)(void *arg, const struct figures_report *), void *arg) {
    FOREACH_ROW(&f->tables[kind], i) {
        struct figures_report report = report_of(i);
        on_report(arg, &report);
    }
}

uint64_t figures_number(const json_t *counts, const char *name) {
    json_int_t n = json_integer_value(json_object_get(counts, name));
    return n > 0 ? (uint64_t)n : 0;
}

static json_t *largest_number(const struct report_table *t, const char *name) {
    json_int_t largest = 0;
    FOREACH_ROW(t, i) {
        json_int_t value = json_integer_value(json_object_get(i->row, name));
        if (value > largest) largest = value;
    }
    return json_integer(largest);
}

// The text of the first instance that has one.
static json_t *first_text(const struct report_table *t, const struct report_field *f) {
    FOREACH_ROW(t, i) {
        json_t *value = json_object_get(i->row, f->name);
        if (json_is_string(value)) return json_incref(value);
    }
    return f->missing ? json_string(f->missing) : json_null();
}

// Adds the texts of all instances' lists that `list` does not have yet; `seen` has the same texts as keys.
static void add_lists(json_t *list, json_t *seen, const struct report_table *t, const char *name) {
    json_t *entry;
    size_t k;
    FOREACH_ROW(t, i) {
        json_array_foreach(json_object_get(i->row, name), k, entry) {
            const char *text = json_string_value(entry);
            if (json_array_size(list) == REPORT_ENTRIES) return;
            if (json_object_get(seen, text)) continue;
            json_object_set(seen, text, entry);
            json_array_append(list, entry);
        }
    }
}

static json_t *unite_lists(const struct report_table *t, const char *name) {
    json_t *list = json_array(), *seen = json_object();
    add_lists(list, seen, t, name);
    json_decref(seen);
    return list;
}

static json_t *merge_counts(enum report_merge merge_reports, const json_t *a, const json_t *b) {
    json_int_t x = json_integer_value(a), y = json_integer_value(b);
    if (merge_reports == REPORT_LARGEST) return json_integer(x > y ? x : y);
    return json_count((uint64_t)x + (uint64_t)y);
}

static json_t *unite_maps(const struct report_table *t, const struct report_field *f) {
    json_t *map = json_object(), *value;
    const char *key;
    FOREACH_ROW(t, i) {
        json_object_foreach(json_object_get(i->row, f->name), key, value) {
            json_t *before = json_object_get(map, key);
            if (!before && json_object_size(map) == REPORT_ENTRIES) continue;
            if (f->type == REPORT_COUNTS)
                json_object_set_new(map, key, merge_counts(f->merge, before, value));
            else
                json_object_set(map, key, value);
        }
    }
    return map;
}

static json_t *newest_update(const struct report_table *t) {
    json_t *newest = NULL;
    FOREACH_ROW(t, i) {
        json_t *at = json_object_get(i->row, "lastUpdated"); // sorts as text
        if (!newest || strcmp(json_string_value(at), json_string_value(newest)) > 0) newest = at;
    }
    return newest ? json_incref(newest) : json_null();
}

static json_t *merge_field(const struct report_table *t, const struct report_field *f, int number) {
    switch (f->type) {
    case REPORT_NUMBER:
        return f->merge == REPORT_SUM ? json_count(t->totals[number]) : largest_number(t, f->name);
    case REPORT_TEXT: return first_text(t, f);
    case REPORT_LIST: return unite_lists(t, f->name);
    case REPORT_COUNTS:
    case REPORT_TEXTS: break;
    }
    return unite_maps(t, f);
}

// All instances as if they were one.
static json_t *merge_reports(const struct figures *f, enum report_kind kind) {
    const struct report_table *t = &f->tables[kind];
    json_t *merged = json_object();
    int number = 0;
    for (const struct report_field *field = report_shapes[kind].fields; field->name; field++) {
        if (!field->hidden) json_object_set_new(merged, field->name, merge_field(t, field, number));
        if (field->type == REPORT_NUMBER) number++;
    }
    json_object_set_new(merged, "lastUpdated", newest_update(t));
    return merged;
}

// Counts the readers behind each of the topics that `counts` has as keys.
static void count_readers(json_t *counts, const struct report_table *readers) {
    json_t *topic;
    size_t k;
    FOREACH_ROW(readers, i) {
        json_array_foreach(json_object_get(i->row, "subscribedTopics"), k, topic) {
            const char *text = json_string_value(topic);
            json_t *before = json_object_get(counts, text);
            if (before) json_object_set_new(counts, text, json_integer(json_integer_value(before) + 1));
        }
    }
}

static json_t *zero_counts(const json_t *topics) {
    json_t *counts = json_object(), *topic;
    size_t k;
    json_array_foreach(topics, k, topic)
        json_object_set_new(counts, json_string_value(topic), json_integer(0));
    return counts;
}

// A comment API on Redis can report which topics have subscribers; one on another engine cannot. But it is
// the readers that subscribe, so their reports are added: each reader is one subscriber of its topics.
static void add_topics_of_readers(json_t *comment_api, const struct report_table *readers) {
    json_t *topics = json_object_get(comment_api, "activeTopics"), *seen = zero_counts(topics);
    json_t *subscribers = json_object_get(comment_api, "topicSubscribers");
    add_lists(topics, seen, readers, "subscribedTopics");
    json_decref(seen);
    json_t *counts = zero_counts(topics), *counted;
    count_readers(counts, readers);
    const char *topic;
    json_object_foreach(counts, topic, counted) {
        json_t *reported = json_object_get(subscribers, topic);
        bool room = reported || json_object_size(subscribers) < REPORT_ENTRIES;
        if (room && json_integer_value(counted))
            json_object_set_new(subscribers, topic, merge_counts(REPORT_LARGEST, reported, counted));
    }
    json_decref(counts);
}

static json_t *list_rows(const struct report_table *t) {
    json_t *list = json_array();
    FOREACH_ROW(t, i) {
        if (json_array_size(list) == REPORT_ENTRIES) break;
        json_array_append(list, i->row);
    }
    return list;
}

static json_t *reader_figures(const struct report_table *t) {
    return json_pack("{s:i, s:o, s:o, s:o, s:o}", "totalReaders", (int)HASH_COUNT(t->by_id),
                     "totalActiveConnections", json_count(t->totals[0]), "totalMessagesSent",
                     json_count(t->totals[1]), "allSubscribedTopics", unite_lists(t, "subscribedTopics"),
                     "readers", list_rows(t));
}

static json_t *client_figures(const struct report_table *t) {
    return json_pack("{s:i, s:o, s:o, s:o}", "totalClients", (int)HASH_COUNT(t->by_id),
                     "totalCommentsGenerated", json_count(t->totals[0]), "totalCommentsConsumed",
                     json_count(t->totals[1]), "clients", list_rows(t));
}

json_t *figures_document(const struct figures *f, json_t *stored_comments, int64_t wall_ms) {
    json_t *comment_api = merge_reports(f, REPORT_COMMENT_API);
    add_topics_of_readers(comment_api, &f->tables[REPORT_READER]);
    return json_pack("{s:o, s:o, s:o, s:O, s:o, s:o}", "commentApi", comment_api, "readerApis",
                     reader_figures(&f->tables[REPORT_READER]), "clients",
                     client_figures(&f->tables[REPORT_CLIENT]), "storedComments", stored_comments,
                     "readerApiManager", merge_reports(f, REPORT_MANAGER), "timestamp", wall_time(wall_ms));
}
