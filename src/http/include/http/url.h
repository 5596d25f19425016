// Parses http and https URLs. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    HTTP_URL_HOST_MAX = 253, // bytes of a host name (RFC 1035, 2.3.4, without the length bytes)
    HTTP_URL_PORT = 80,
    HTTP_URL_HTTPS_PORT = 443
};

struct http_url {
    char host[HTTP_URL_HOST_MAX + 1]; // lower case, an IPv6 address without its brackets
    bool ipv6;                        // the host was in brackets
    int port;
    const char *path; // points into the URL: path and query, without the fragment; may lack its first slash
    size_t path_len;
};

// Returns 0, -EPROTONOSUPPORT for another scheme than http, or -EINVAL: no host, user information, a bad
// port, or a byte that is not valid in a URL (so none of it can forge a header line).
int http_url_parse(struct http_url *, const char *text);

// The same for https.
int http_url_parse_https(struct http_url *, const char *text);

// Writes the bytes with %XX decoded, `+` as a space if `plus` (a form's), and a terminating NUL; an
// invalid escape, or an escaped NUL, stays as it is. Returns the length, at most len.
size_t http_url_decode(char *out, const char *in, size_t len, bool plus);
