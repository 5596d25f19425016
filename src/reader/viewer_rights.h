// Who may watch. With keys (--jwt-keys) a connect request needs a token, or a reader's ticket, with the right
// to read the video, and is of its user; without, it is of the user that it names. A function that returns
// false has ended the exchange. Control loop only.
#pragma once

#include <stdbool.h>

#include "identity/identity.h"

struct connect_params;
struct http_exchange;
struct reader_front;
struct service;

// Finds out whose request it is, and sets what that demands of the stream; `last` says whether it resumes.
// `front`: the readers of the address, of one process.
bool viewer_rights_read(const struct reader_front *front, struct http_exchange *, struct connect_params *,
                        struct identity *);

// Checks whether that user may watch the video as the user that the request names (NULL: none), which becomes
// the token's. It lives as long as the identity.
bool viewer_rights_check(struct http_exchange *, const struct identity *, struct connect_params *);
