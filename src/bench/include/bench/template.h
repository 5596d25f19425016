// Templates of requests: {video} stands for the video's name, {viewer} for the viewer's number and {body} for
// the comment's text. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct template_values {
    const char *video, *viewer, *body; // NULL: stands for nothing
};

// Appends the template with its names replaced. Other braces stay as they are.
void template_expand(struct buf *, const char *text, const struct template_values *);

// Returns the path and query of a URL's template, which points into it and may lack its first slash.
const char *template_path(const char *url);

struct bench_request {
    char method[16];
    char *url;  // template
    char *body; // template, or NULL
};

// Takes `METHOD URL [BODY]` apart; the body is the rest, spaces and all. Returns false if it is not that.
// Release with bench_request_release() in either case.
bool bench_request_parse(struct bench_request *, const char *text);
void bench_request_release(struct bench_request *);
