// Whose request it is, and whether that user may do what it asks, for handlers: a function that returns false
// has already replied with 401, 403 or 503; or keys are on the way to this process (identity/jwks.h), and the
// route's handler is called again when they have come, or have failed to. Without keys everyone may. Control
// loop only.
#pragma once

#include <stdbool.h>

#include "identity/identity.h"

struct http_exchange;
struct service;

enum rights_outcome {
    RIGHTS_REFUSED, // it has replied
    RIGHTS_AWAITED, // the handler is called again
    RIGHTS_READ
};

// Finds out whose request it is.
enum rights_outcome rights_read(const struct service *, struct http_exchange *, struct identity *);

// Finds out whose stream a request begins, or resumes (`resumes`), whose token may stand in the query. Ends
// the exchange so that a browser's EventSource comes back exactly where that may help: it is closed without a
// response while keys are being fetched, and gets 204 if the session is over (the token's `until`). A request
// with Authorization gets 401 then, as it can be repeated with another token.
bool rights_read_stream(const struct service *, struct http_exchange *, bool resumes, struct identity *);

// Refuses it for that reason; returns false.
bool rights_refuse(struct http_exchange *, enum identity_verdict);

// Whether it has the right for the video.
bool rights_check(struct http_exchange *, const struct identity *, enum identity_right, const char *video);

// rights_read() and rights_check().
bool rights_have(const struct service *, struct http_exchange *, enum identity_right, const char *video);

// Finds out what a request may see of that which is not for everyone, and refuses none: without keys and for
// internal peers *who may do all; without a valid token it has no right.
void rights_look(const struct service *, struct http_exchange *, struct identity *who);

// Whether it may create, close and remove the video: a service, or a user with the right to moderate it.
// Without keys a service is one by its address, too.
bool rights_administer(const struct service *, struct http_exchange *, const char *video);

// As rights_have(), for what services may do as well: with their token or from an address in --internal-from.
bool rights_have_or_internal(const struct service *, struct http_exchange *, enum identity_right,
                             const char *video);
