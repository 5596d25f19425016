// What GET endpoints that list all videos show to a request. With keys that is what its identity may read; a
// stranger gets totals only. Control loop only.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct http_exchange;
struct identity;
struct known_videos;

// Returns the first videos that exist (known: NULL: all do) and that the identity may read of {"videos":
// [{"videoid": ...}, ...], "total": N}, at most `limit`, in the same form, with the total of all. Owned by
// the caller. Returns NULL if it has not this form.
json_t *visible_videos(const json_t *list, struct known_videos *known, const struct identity *, size_t limit);

// Replies with a document of GET /statistics; or, of each part, only with its numbers, which are neither ids,
// URLs nor texts.
void visible_reply_statistics(struct http_exchange *, const char *document, size_t len, bool sees_all);
