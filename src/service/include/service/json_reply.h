// Replies whose body is JSON. They end the exchange. Control loop only.
#pragma once

#include <jansson.h>

#include "engine/engine.h"

struct http_exchange;

// Replies with a JSON value, whose reference it takes; 503 carries Retry-After.
void reply_json(struct http_exchange *, int status, json_t *);

// The same with further header lines, each ended by CR LF.
void reply_json_with(struct http_exchange *, int status, const char *headers, json_t *);

// Replies 503 with Retry-After. Code and sentence need no escaping.
void reply_unavailable(struct http_exchange *, const char *code, const char *sentence);

// The same of an operation of the store that has failed: overloaded, store_full or store_unavailable.
void reply_store_failed(struct http_exchange *, enum engine_status);
