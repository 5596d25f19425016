#include "http/url.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"

// Copies the host and returns what follows it, or NULL.
static const char *http_url_parse_host(struct http_url *u, const char *text) {
    u->ipv6 = *text == '[';
    if (u->ipv6) text++;
    size_t len = strcspn(text, u->ipv6 ? "]/?#@" : ":/?#@[]");
    if (!len || len > HTTP_URL_HOST_MAX) return NULL;
    for (size_t i = 0; i < len; i++) u->host[i] = (char)tolower((unsigned char)text[i]);
    u->host[len] = 0;
    text += len;
    if (u->ipv6 && *text++ != ']') return NULL;
    return text;
}

// Reads ":port", if there is one, and returns what follows it, or NULL.
static const char *http_url_parse_port(struct http_url *u, const char *text) {
    if (*text != ':') return text;
    u->port = 0;
    for (text++; isdigit((unsigned char)*text); text++) {
        u->port = u->port * 10 + (*text - '0');
        if (u->port > 65535) return NULL;
    }
    return u->port ? text : NULL;
}

static int http_url_parse_as(struct http_url *u, const char *text, const char *scheme, int port) {
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f) return -EINVAL;
    if (strncasecmp(text, scheme, strlen(scheme)) != 0)
        return strstr(text, "://") ? -EPROTONOSUPPORT : -EINVAL;
    u->port = port;
    text = http_url_parse_host(u, text + strlen(scheme));
    if (text) text = http_url_parse_port(u, text);
    if (!text || !strchr("/?#", *text)) return -EINVAL; // strchr also finds the end of the string
    u->path = text;
    u->path_len = strcspn(text, "#");
    return 0;
}

int http_url_parse(struct http_url *u, const char *text) {
    return http_url_parse_as(u, text, "http://", HTTP_URL_PORT);
}

int http_url_parse_https(struct http_url *u, const char *text) {
    return http_url_parse_as(u, text, "https://", HTTP_URL_HTTPS_PORT);
}

size_t http_url_decode(char *out, const char *in, size_t len, bool plus) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        int high = in[i] == '%' && i + 2 < len ? hex_digit(in[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(in[i + 2]) : -1;
        if (low >= 0 && (high || low)) {
            out[n++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[n++] = plus && in[i] == '+' ? ' ' : in[i];
        }
    }
    out[n] = 0;
    return n;
}
