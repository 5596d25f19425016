#include "proxy_header.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char text_start[] = "PROXY ";
static const char binary_start[] = "\r\n\r\n\0\r\nQUIT\n";

enum { TEXT_START = sizeof text_start - 1, BINARY_START = sizeof binary_start - 1, BINARY_LEN = 16 };

static bool begins_with(const char *bytes, size_t len, const char *start, size_t start_len) {
    return !memcmp(bytes, start, len < start_len ? len : start_len);
}

// Version 1: a line of text

// Takes a word and what follows it: exactly one space, or the end of the line.
static char *next_word(char **at) {
    char *word = *at, *end = word + strcspn(word, " ");
    *at = *end ? end + 1 : end;
    *end = 0;
    return word;
}

static bool is_port(const char *text) {
    unsigned port = 0;
    size_t len = strspn(text, "0123456789");
    if (!len || len > 5 || text[len] || (*text == '0' && len > 1)) return false;
    for (; *text; text++) port = port * 10 + (unsigned)(*text - '0');
    return port <= 65535;
}

static bool parse_addresses(struct proxy_header *h, char *at, int family) {
    union address source, destination;
    const char *from = next_word(&at), *to = next_word(&at), *from_port = next_word(&at);
    if (!address_parse(&source, from) || !address_parse(&destination, to)) return false;
    if (source.any.sa_family != family || destination.any.sa_family != family) return false;
    if (!is_port(from_port) || !is_port(at)) return false;
    h->source = source;
    return true;
}

static bool parse_line(struct proxy_header *h, const char *bytes, size_t len) {
    char line[PROXY_HEADER_KEPT_MAX + 1];
    memcpy(line, bytes, len);
    line[len] = 0;
    if (!strncmp(line, "UNKNOWN", 7) && (line[7] == ' ' || len == 7)) return true;
    if (strlen(line) != len) return false;
    char *at = line;
    const char *protocol = next_word(&at);
    if (!strcmp(protocol, "TCP4")) return parse_addresses(h, at, AF_INET);
    return !strcmp(protocol, "TCP6") && parse_addresses(h, at, AF_INET6);
}

static enum proxy_header_result parse_text(struct proxy_header *h, const char *bytes, size_t len) {
    size_t seen = len < PROXY_HEADER_KEPT_MAX ? len : PROXY_HEADER_KEPT_MAX;
    const char *end = memchr(bytes, '\n', seen);
    if (!end) return len < PROXY_HEADER_KEPT_MAX ? PROXY_HEADER_MORE : PROXY_HEADER_BAD;
    if (end - bytes <= TEXT_START || end[-1] != '\r') return PROXY_HEADER_BAD;
    h->len = (size_t)(end + 1 - bytes);
    return parse_line(h, bytes + TEXT_START, h->len - TEXT_START - 2) ? PROXY_HEADER_DONE : PROXY_HEADER_BAD;
}

// Version 2: binary

// The version is in the upper half of each.
enum { LOCAL = 0x20, PROXY = 0x21, OVER_TCP4 = 0x11, OVER_TCP6 = 0x21, FAMILY_MAX = 3, TRANSPORT_MAX = 2 };

// Checks the bytes that say what follows, as far as they have arrived.
static bool kind_is_valid(const uint8_t *bytes, size_t len) {
    if (len > 12 && bytes[12] != LOCAL && bytes[12] != PROXY) return false;
    if (len <= 13 || bytes[12] == LOCAL) return true; // its family is ignored
    return bytes[13] >> 4 <= FAMILY_MAX && (bytes[13] & 15) <= TRANSPORT_MAX;
}

static enum proxy_header_result parse_binary(struct proxy_header *h, const uint8_t *bytes, size_t len) {
    if (!kind_is_valid(bytes, len)) return PROXY_HEADER_BAD;
    if (len < BINARY_LEN) return PROXY_HEADER_MORE;
    size_t follow = (size_t)(bytes[14] << 8 | bytes[15]);
    bool tcp4 = bytes[12] == PROXY && bytes[13] == OVER_TCP4;
    bool tcp6 = bytes[12] == PROXY && bytes[13] == OVER_TCP6;
    size_t needed = tcp4 ? 2 * 4 + 2 * 2 : tcp6 ? 2 * 16 + 2 * 2 : 0;
    if (follow < needed) return PROXY_HEADER_BAD;
    if (len < BINARY_LEN + needed) return PROXY_HEADER_MORE;
    if (tcp4) {
        h->source.v4.sin_family = AF_INET;
        memcpy(&h->source.v4.sin_addr, bytes + BINARY_LEN, 4);
    } else if (tcp6) {
        h->source.v6.sin6_family = AF_INET6;
        memcpy(&h->source.v6.sin6_addr, bytes + BINARY_LEN, 16);
    }
    h->len = BINARY_LEN + follow;
    return PROXY_HEADER_DONE;
}

enum proxy_header_result proxy_header_parse(struct proxy_header *h, const char *bytes, size_t len) {
    *h = (struct proxy_header){0};
    if (!len) return PROXY_HEADER_MORE;
    if (*bytes == *text_start)
        return begins_with(bytes, len, text_start, TEXT_START) ? parse_text(h, bytes, len) : PROXY_HEADER_BAD;
    if (!begins_with(bytes, len, binary_start, BINARY_START)) return PROXY_HEADER_BAD;
    return parse_binary(h, (const uint8_t *)bytes, len);
}
