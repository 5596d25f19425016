// Private to comment: what a comment has to pass before it is appended. Moderators and services pass it all.
#pragma once

#include <stdbool.h>

struct comment_api;
struct comment_draft;
struct http_exchange;

// Appends a comment that has passed.
typedef void moderated_append(struct comment_api *, struct http_exchange *, const struct comment_draft *);

// Returns whether the comment may be appended. If not, it has been refused, or the review hook has been
// asked, after which `append` is called or it is refused.
bool moderated_pass(struct comment_api *, struct http_exchange *, struct comment_draft *, moderated_append *);

// Returns what moderated_forget() needs of a draft that the first line has noted. The caller frees it.
char *moderated_keep(const struct comment_draft *);

// Lets its user send it again. NULL: nothing is noted.
void moderated_forget(struct comment_api *, const char *kept);
