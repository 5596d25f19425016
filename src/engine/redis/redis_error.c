#include "redis_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis_slots.h"
#include "redis_url.h"

// Errors of Redis by their first word, or by what stands in them: what they mean, and what is to be done.
static const struct meaning {
    const char *word, *phrase, *clause;
    enum redis_action action;
} meanings[] = {
    {"OOM", NULL, "is full (maxmemory) and accepts no comments", REDIS_FAILS},
    {"READONLY", NULL, "is a read-only replica", REDIS_CUTS},
    {"MISCONF", NULL, "accepts no writes because it cannot save to its disk", REDIS_FAILS},
    {"NOREPLICAS", NULL, "accepts no writes because too few replicas are connected", REDIS_FAILS},
    {"UNCONFIRMED", NULL, "has too few replicas that confirm what is written (--confirm-replicas)",
     REDIS_FAILS},
    {"LOADING", NULL, "is still loading its data", REDIS_CUTS},
    {"MASTERDOWN", NULL, "is a replica that has lost its master", REDIS_CUTS},
    {"NOSCRIPT", NULL, "has lost the scripts, which are loaded again", REDIS_CUTS},
    {"BUSY", NULL, "is busy with a script of another program", REDIS_FAILS},
    {"MOVED", NULL, "is part of a Cluster: its URL begins with cluster://", REDIS_MOVED},
    {"ASK", NULL, "is part of a Cluster: its URL begins with cluster://", REDIS_ASKS},
    {"TRYAGAIN", NULL, "moves these keys to another server of the Cluster", REDIS_AGAIN},
    {NULL, "non local key", "moves these keys to another server of the Cluster", REDIS_AGAIN},
    {"CLUSTERDOWN", NULL, "is part of a Cluster that has no server for some slots", REDIS_IS_DOWN},
    {"CROSSSLOT", NULL, "is part of a Cluster: its URL begins with cluster://", REDIS_FAILS},
};

static const struct meaning *meaning_of(const char *error) {
    size_t len = strcspn(error, " ");
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        const struct meaning *m = &meanings[i];
        if (m->word ? strlen(m->word) == len && !strncmp(error, m->word, len)
                    : strstr(error, m->phrase) != NULL)
            return m;
    }
    return NULL;
}

// Of a script's commands it is reported without the word NOPERM: by Redis 7.0 with the first of these words,
// since 7.2 with the second.
static const char *missing_right(const char *error) {
    static const char *const of_scripts[] = {"The user executing the script ", "ACL failure in script: "};
    for (size_t i = 0; i < sizeof of_scripts / sizeof *of_scripts; i++) {
        const char *at = strstr(error, of_scripts[i]);
        if (at) return at + strlen(of_scripts[i]);
    }
    return !strncmp(error, "NOPERM ", 7) ? error + 7 : NULL;
}

// Without the script's digest and line.
static int plain_length(const char *error) {
    const char *end = strstr(error, " script: ");
    if (!end) end = strstr(error, ", on @user_script");
    size_t len = end ? (size_t)(end - error) : strlen(error);
    while (len && (error[len - 1] == '.' || error[len - 1] == ' ')) len--;
    return len < 120 ? (int)len : 120;
}

void redis_error_clause(const char *error, char *out, size_t size) {
    const struct meaning *m = meaning_of(error);
    const char *right = missing_right(error);
    if (m)
        snprintf(out, size, "%s", m->clause);
    else if (right)
        snprintf(out, size, "denies its user a right (%.*s)", plain_length(right), right);
    else
        snprintf(out, size, "refuses (%.*s)", plain_length(error), error);
}

bool redis_error_is_full(const char *error) {
    return !strncmp(error, "OOM", 3);
}

bool redis_error_is_transient(const char *error) {
    return redis_error_is_full(error) || !strncmp(error, "WRONGTYPE", 9);
}

enum redis_action redis_error_action(const char *error) {
    const struct meaning *m = meaning_of(error);
    return m ? m->action : REDIS_FAILS;
}

bool redis_error_place(const char *error, unsigned *slot, struct redis_place *place) {
    const char *at = strchr(error, ' ');
    char *end;
    if (!at) return false;
    unsigned long number = strtoul(at + 1, &end, 10);
    const char *host = end + 1, *colon = strrchr(end, ':');
    if (end == at + 1 || *end != ' ' || !colon || number >= REDIS_SLOTS || colon - host > REDIS_URL_HOST_MAX)
        return false;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (end == colon + 1 || *end || port < 1 || port > 65535) return false;
    *slot = (unsigned)number;
    snprintf(place->host, sizeof place->host, "%.*s", (int)(colon - host), host);
    place->port = (int)port;
    return true;
}
