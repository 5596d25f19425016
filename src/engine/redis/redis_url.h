// Private to the Redis engine: parses the URL of a Redis. Any thread.
//
//     redis://[user:password@]host[:port][/db]             one server
//     sentinel://[user:password@]host[:port],.../name[/db] the primary that these Sentinels call so
//     cluster://[user:password@]host[:port],...            a Cluster, some of whose servers these are
//
// rediss://, sentinels:// and clusters:// are the same with TLS (redis and rediss are registered with IANA,
// and read as redis-cli -u reads them).
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { REDIS_URL_HOST_MAX = 253, REDIS_URL_WORD_MAX = 512, REDIS_URL_PLACES = 16 }; // bytes; hosts

enum redis_scheme { REDIS_SINGLE, REDIS_SENTINEL, REDIS_CLUSTER };

struct redis_place {
    char host[REDIS_URL_HOST_MAX + 1]; // an IPv6 address without its brackets
    int port;                          // 0: not known
};

struct redis_url {
    enum redis_scheme scheme;
    bool tls;
    size_t count;
    struct redis_place at[REDIS_URL_PLACES];
    char primary[REDIS_URL_WORD_MAX];  // the name that Sentinels know it by
    char user[REDIS_URL_WORD_MAX];     // empty: the default user
    char password[REDIS_URL_WORD_MAX]; // empty: none is sent
    int db;
};

// Returns NULL, or what it must be, for "..., but must be %s"; that is static, and never holds the password.
const char *redis_url_parse(struct redis_url *, const char *text);

bool redis_place_is(const struct redis_place *, const struct redis_place *);
