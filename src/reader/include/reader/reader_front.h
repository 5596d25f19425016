// GET and POST /connect at an address that all readers of a process share. A viewer is never redirected
// there: it is served by the reader that owns its video if that is one of them, otherwise by any, as with
// redirect=never. It counts as a viewer of that reader, and is reset with it. Control loop only.
#pragma once

#include <stddef.h>

struct http_route;
struct reader;

// Zero-initialise. The owner adds readers, and removes them before they are freed.
struct reader_front {
    struct reader **readers; // NULL: there is none of this number now
    size_t count;
};

// Returns the reader that a mapping of the video to this URL means, or NULL if it is none of them.
struct reader *reader_front_owner(const struct reader_front *, const char *video, const char *reader_url);

// Returns a reader that is not stopping, the same for each viewer of the video while the readers stay the
// same; NULL if there is none.
struct reader *reader_front_any(const struct reader_front *, const char *video);

// The routes, whose argument is a struct reader_front; ended by NULL.
extern const struct http_route *const reader_front_tables[];
