// The fields of a request: members of a JSON body, ids in the path and in the query. A function that returns
// false has already replied with a 4xx, so that the handler only has to return. Control loop only.
//
// The body is read by a pull parser: unknown members are skipped, whatever they contain; of a repeated member
// the last one counts.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "service/text_rules.h"

struct http_exchange;
struct http_refusal;
struct http_request;
struct json_reader;

enum { COMMENT_MAX = 2000, NAME_MAX_BYTES = 64 };

// Limits of bodies, in bytes. Every byte of a comment may be written as \u00XX: 12,000 for the text and 2,000
// for ids, name and the names of the members; the rest is for white space and unknown members.
enum { COMMENT_BODY_MAX = 16384, IDS_BODY_MAX = 8192 };

enum body_state { BODY_ABSENT, BODY_TEXT, BODY_TOO_LONG, BODY_NOT_UNICODE, BODY_NUMBER, BODY_NOT_TEXT };

// A member that a handler reads. A text is written to where the handler says: decoded, and ended by a NUL; a
// number counts as such if it is an integer from 0 to 2^53. null counts as absent.
struct body_field {
    const char *name;
    char *text;
    size_t size;
    size_t len;
    int64_t number;
    enum body_state state;
};

// Makes a field for a char array.
#define BODY_FIELD(field_name, array)                                                                        \
    { .name = (field_name), .text = (array), .size = sizeof(array) }

// The guard of routes with such a body: refuses it with 415 unless it is declared as JSON.
bool body_guard(struct http_request *, void *arg, struct http_refusal *);

// Reads the body into the fields (400 if it is not a JSON object in UTF-8).
bool body_read(struct http_exchange *, struct body_field *fields, size_t count);

// Starts to read a body whose members are not just texts.
void body_begin(const struct http_request *, struct json_reader *);

// Replies 400 to a body that is not a JSON object, with the line and column of the error.
void body_refuse(struct http_exchange *, const struct json_reader *);

// Check an id: 400 if it is missing or invalid.
bool body_id(struct http_exchange *, const struct body_field *);
bool query_id(struct http_exchange *, const char *field, const char **id);
bool path_id(struct http_exchange *, const char **id);
bool path_user(struct http_exchange *, const char **id);

// Reads a number of the query: 400 if it is not one from min to max. One that is absent is left as it is.
bool query_number(struct http_exchange *, const char *field, uint32_t min, uint32_t max, uint32_t *number);

// Replies 400: `field`, then what it must be.
void refuse_field(struct http_exchange *, const char *field, const char *what);

// Whether a text has C0 controls other than tab, CR and LF.
bool text_has_control(const char *text, size_t len);

// Checks a text of min..max bytes without C0 controls other than tab, CR and LF. With min 0 it may be absent.
bool body_text(struct http_exchange *, const struct body_field *, size_t min, size_t max);

// Checks a text that body_text() has accepted against the rules: 400 with the rule's code. Returns the rule
// that it breaks, or TEXT_FINE. One that is absent breaks none.
enum text_rule body_name_rule(struct http_exchange *, const struct body_field *, const struct text_rules *);
enum text_rule body_comment_rule(struct http_exchange *, const struct body_field *,
                                 const struct text_rules *);
