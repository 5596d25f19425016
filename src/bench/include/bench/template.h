// Templates of requests: {video} is replaced with the video's name, {viewer} with the viewer's number and
// {body} with the comment's text. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct template_values {
    const char *video, *viewer, *body; // NULL: replaced with nothing
};

// Appends the template with its placeholders replaced. Other braces stay as they are.
void template_expand(struct buf *, const char *text, const struct template_values *);

// Returns the path and query of a URL's template, as a pointer into it; the first slash may be missing.
const char *template_path(const char *url);

struct bench_request {
    char method[16];
    char *url;  // template
    char *body; // template, or NULL
};

// Parses `METHOD URL [BODY]`; the body is the rest, including spaces. Returns false if the text has another
// form. Release with bench_request_release() in either case.
bool bench_request_parse(struct bench_request *, const char *text);
void bench_request_release(struct bench_request *);
