// Reading requests' fields and writing JSON answers. Each reader of input answers the request itself with a
// clear 4xx when it returns false, so a handler only has to return. Control loop only.
//
// A body is read by a pull parser: unknown members are skipped, whatever they contain; if a member is
// repeated, the last one counts.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct http_exchange;
struct http_refusal;
struct http_request;
struct json_reader;

enum { ID_MAX = 128, COMMENT_MAX = 2000, NAME_MAX_BYTES = 64 };

// Largest bodies, in bytes. Of a comment every byte may be written as \u00XX: 12,000 for the text and 2,000
// for ids, name and the names of the members; the rest is for white space and what is not known here.
enum { COMMENT_BODY_MAX = 16384, IDS_BODY_MAX = 8192 };

// Whether it is an id: 1-128 bytes of A-Z a-z 0-9 . _ ~ - : @, but not "." or "..", which no URL can carry.
bool id_is_valid(const char *text, size_t len);

enum body_state { BODY_ABSENT, BODY_TEXT, BODY_TOO_LONG, BODY_NOT_UNICODE, BODY_NOT_TEXT };

// A text member that a handler wants, and where it goes: decoded, with a NUL behind it. null counts as
// absent.
struct body_field {
    const char *name;
    char *text;
    size_t size;
    size_t len;
    enum body_state state;
};

// Makes a field for a char array.
#define BODY_FIELD(field_name, array)                                                                        \
    { .name = (field_name), .text = (array), .size = sizeof(array) }

// The guard of routes whose body is read here: 415 unless it is declared as JSON.
bool body_guard(struct http_request *, void *arg, struct http_refusal *);

// Reads the body into the fields (400 if it is not a JSON object in UTF-8).
bool body_read(struct http_exchange *, struct body_field *fields, size_t count);

// Begins to read a body that is more than a few texts.
void body_begin(const struct http_request *, struct json_reader *);

// Refuses a body that is not a JSON object (400), with the place of the error.
void body_refuse(struct http_exchange *, const struct json_reader *);

// Check an id: 400 if it is missing or invalid.
bool body_id(struct http_exchange *, const struct body_field *);
bool query_id(struct http_exchange *, const char *field, const char **id);
bool path_id(struct http_exchange *, const char **id);

// Checks a text of min..max bytes without C0 controls other than tab, CR and LF. With min 0 it may be absent.
bool body_text(struct http_exchange *, const struct body_field *, size_t min, size_t max);

// Answers with a JSON value, taking the reference.
void reply_json(struct http_exchange *, int status, json_t *owned);

// Answers 503 with Retry-After.
void reply_unavailable(struct http_exchange *, const char *code, const char *sentence);
