#include "reader/redirect.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "placement/placement.h"

static bool is_loopback(const char *url) {
    return !strncmp(url, "http://127.0.0.1:", 17) || !strncmp(url, "http://[::1]:", 13);
}

// A reader that goes by a loopback address is on this machine: whoever came here by another name reaches it
// by that name too.
static void write_neighbour(char base[REDIRECT_BASE_SIZE], const char *host, const char *reader_url) {
    const char *bracket = strchr(host, ']');
    size_t name = bracket ? (size_t)(bracket + 1 - host) : strcspn(host, ":");
    snprintf(base, REDIRECT_BASE_SIZE, "http://%.*s%s", (int)name, host, strrchr(reader_url, ':'));
}

void redirect_base(char base[REDIRECT_BASE_SIZE], struct placement *p, struct http_request *request,
                   const struct placement_answer *to) {
    const char *host = http_request_header(request, "host");
    bool inside = host && placement_is_reader_host(p, host);
    if (!inside && !to->public_url && is_loopback(to->reader_url))
        write_neighbour(base, host ? host : "127.0.0.1", to->reader_url);
    else
        snprintf(base, REDIRECT_BASE_SIZE, "%s", inside || !to->public_url ? to->reader_url : to->public_url);
}
