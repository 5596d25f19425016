// Private to http: what a client accepts, from lists like "gzip, br;q=0.5" (RFC 9110, 12.4 and 12.5). Pure.
#pragma once

#include <stdbool.h>

enum http_acceptance {
    HTTP_UNNAMED, // the list does not name it
    HTTP_REFUSED, // it does, with a weight of 0
    HTTP_ACCEPTED
};

// Returns what the list has about exactly this name: "*" and "text/*" are names like any other. NULL is an
// empty list.
enum http_acceptance http_accept_find(const char *list, const char *name);
