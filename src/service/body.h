// Reading requests' fields and writing JSON answers. Each reader of input answers the request itself with a
// clear 4xx when it returns false or NULL, so a handler only has to return. Control loop only.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct http_request;

enum { ID_MAX = 128, COMMENT_MAX = 2000, NAME_MAX_BYTES = 64 };

// Largest body with such fields, in bytes. Far more than they need, so that what is long and no JSON is
// told that it is no JSON (400), not that it is too long (413); JSONTestSuite has one of 250,001 bytes.
enum { BODY_MAX = 262144 };

// Whether it is an id: 1-128 bytes of A-Z a-z 0-9 . _ ~ - : @
bool id_is_valid(const char *text, size_t len);

// Returns the body as an owned object (415 unless declared as JSON, 400 if it is not a JSON object in UTF-8).
json_t *body_object(struct http_request *);

// Gives the id in member or query field `field`: 400 if it is missing or not an id.
bool body_id(struct http_request *, const json_t *object, const char *field, const char **id);
bool query_id(struct http_request *, const char *field, const char **id);
// Checks the id in the path.
bool path_id(struct http_request *, const char **id);

// Gives a text member of min..max bytes without C0 controls other than tab, CR and LF, borrowed from
// `object`. An absent optional member (min 0) gives NULL.
bool body_text(struct http_request *, const json_t *object, const char *field, size_t min, size_t max,
               json_t **text);

// Answers with a JSON value, taking the reference.
void reply_json(struct http_request *, int status, json_t *owned);

// Answers 503 with Retry-After.
void reply_unavailable(struct http_request *, const char *code, const char *sentence);
