// Private to the Redis engine: parses redis://[user:password@]host[:port][/db], or rediss:// for TLS (the
// schemes registered with IANA, as redis-cli -u reads them). Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { REDIS_URL_HOST_MAX = 253, REDIS_URL_WORD_MAX = 512 }; // bytes

struct redis_url {
    char host[REDIS_URL_HOST_MAX + 1]; // an IPv6 address without its brackets
    char user[REDIS_URL_WORD_MAX];     // empty: the default user
    char password[REDIS_URL_WORD_MAX]; // empty: none is sent
    int port;
    int db;
    bool tls;
};

// Returns false and writes a sentence about what is wrong, which never holds the password.
bool redis_url_parse(struct redis_url *, const char *text, char *why, size_t why_size);
