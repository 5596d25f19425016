// A static file that is part of the program: made from web/ by cmake/assets.cmake, or by a test.
#pragma once

#include <stddef.h>

struct http_asset {
    const char *path; // "/", "/chorus.js"; or "/watch/:videoid", as in a route
    const char *type; // its Content-Type
    const char *etag; // quoted; of the bytes as they are
    const void *bytes;
    size_t len;
    const void *gzip; // the same, compressed; NULL: that would not be shorter
    size_t gzip_len;
};
