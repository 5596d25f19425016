// The reports of parts: a table of the fields of each kind, and a parser that checks a report and cuts it to
// size. Pure; knows nothing of HTTP.
//
// Limits: lists and maps keep their first REPORT_ENTRIES entries, a text is at most REPORT_TEXT_MAX bytes, an
// id ID_MAX, a number at most 2^53-1 (what JavaScript can represent).
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct json_reader;

enum { REPORT_ENTRIES = 100, REPORT_TEXT_MAX = 512, REPORT_NUMBERS = 3, REPORT_FIELDS = 9 };

enum report_kind { REPORT_COMMENT_API, REPORT_READER, REPORT_MANAGER, REPORT_CLIENT, REPORT_KINDS };

enum report_type {
    REPORT_NUMBER, // missing: 0
    REPORT_TEXT,   // missing: null, or `missing`
    REPORT_LIST,   // of texts
    REPORT_COUNTS, // map of numbers
    REPORT_TEXTS   // map of texts
};

// How figures of several instances are merged. What an instance counts itself is summed. What all instances
// read from shared state (mappings, live readers, subscriptions) is the same number several times: the
// largest is used.
enum report_merge { REPORT_SUM, REPORT_LARGEST };

struct report_field {
    const char *name;
    enum report_type type;
    enum report_merge merge; // of numbers and counts; lists and texts are united
    const char *missing;
    bool hidden; // kept beside the report, for the dashboard, and not shown in the document
};

struct report_shape {
    const char *id_field;
    bool id_required; // if not, reports without an id come from the one instance without a name
    const struct report_field *fields; // ended by one without a name
};

extern const struct report_shape report_shapes[REPORT_KINDS];

struct report_refusal {
    const char *code;   // stable word
    char sentence[160]; // names the field; contains no text from the report
};

// Parses a report of this kind. Returns an object owned by the caller: the id ("" if there is none), then all
// fields in order. Returns NULL and the refusal if the report is malformed; its code is NULL if the text is
// not a JSON object (json_reader_place() gives the position).
json_t *report_read(enum report_kind, struct json_reader *, struct report_refusal *);
