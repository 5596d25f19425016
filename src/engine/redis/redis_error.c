#include "redis_error.h"

#include <stdio.h>
#include <string.h>

// Errors of Redis by their first word. `cut`: what is needed is another server, or the same one greeted
// again.
static const struct meaning {
    const char *word, *clause;
    bool cut;
} meanings[] = {
    {"OOM", "is full (maxmemory) and accepts no comments", false},
    {"READONLY", "is a read-only replica", true},
    {"MISCONF", "accepts no writes because it cannot save to its disk", false},
    {"NOREPLICAS", "accepts no writes because too few replicas are connected", false},
    {"UNCONFIRMED", "has too few replicas that confirm what is written (--confirm-replicas)", false},
    {"LOADING", "is still loading its data", true},
    {"MASTERDOWN", "is a replica that has lost its master", true},
    {"NOSCRIPT", "has lost the scripts, which are loaded again", true},
    {"BUSY", "is busy with a script of another program", false},
    {"MOVED", "is a cluster, which is not supported", false},
    {"CROSSSLOT", "is a cluster, which is not supported", false},
    {"CLUSTERDOWN", "is a cluster, which is not supported", false},
};

static const struct meaning *meaning_of(const char *error) {
    size_t len = strcspn(error, " ");
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strlen(meanings[i].word) == len && !strncmp(error, meanings[i].word, len)) return &meanings[i];
    return NULL;
}

// Redis 7.0 reports it for a script's commands without the word NOPERM.
static const char *missing_right(const char *error) {
    static const char by_script[] = "The user executing the script ";
    const char *at = strstr(error, by_script);
    if (at) return at + sizeof by_script - 1;
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

bool redis_error_needs_reconnect(const char *error) {
    const struct meaning *m = meaning_of(error);
    return m && m->cut;
}
