// Private to comment: what a comment has to pass before it is appended. Moderators and services pass it all.
#pragma once

#include <stdbool.h>

#include "identity/identity.h"

struct comment_api;
struct comment_draft;
struct http_exchange;

// Returns whether the comment may be appended. If not, it has been refused, or the review hook has been
// asked, after which it is appended or refused.
bool moderated_pass(struct comment_api *, struct http_exchange *, const struct identity *,
                    const struct comment_draft *);
