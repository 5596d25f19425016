// Private to app: what the roles of a process share, made first and freed last: the control loop, the engine,
// the fan-out, the HTTP client and placement. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/settings.h"
#include "net/loop.h"
#include "reader/crowd.h"
#include "reader/history.h"
#include "service/service.h"

struct runtime {
    // Set by the owner:
    const struct settings *settings;
    enum command command; // COMMAND_UP: all roles
    char *why;            // for a sentence, if it cannot start
    size_t why_size;
    // Private; NULL until made:
    struct networks *trusted_proxies; // NULL: none
    struct hostnames *hostnames;
    struct loop *loop;
    struct tls_client *redis_tls; // NULL: plain
    struct engine *engine;
    struct engine *archive; // NULL: none of its own
    struct fanout *fanout;  // NULL for roles without streams
    struct history_budget history;
    struct crowd crowd;
    struct http_client *client;
    struct placement *placement; // NULL if no role places videos
    struct internal_only *internal;
    struct identity_keys *keys; // NULL: users have no tokens
    struct identity_key_file *key_file;
    struct tls_client *jwks_tls, *review_tls; // NULL: none
    const struct stream_ops *review_transport;
    struct identity_jwks *jwks;
    struct first_line *first_line; // NULL unless there is a comment API
    struct service_process process;
    struct loop_timer check;
    int64_t ready_by_ms;
    bool store_away;
};

// Opens everything, and waits briefly for the engine. On failure this and the functions below return false,
// with a sentence.
bool runtime_start(struct runtime *);

// How many fan-out threads there are at first.
unsigned runtime_workers(const struct runtime *);

// Whether hot videos may have several readers.
bool runtime_has_sets(const struct runtime *);

// Starts placement, once our own readers have leases, and waits briefly for it. From then on logs when the
// store becomes unavailable and available again.
bool runtime_begin(struct runtime *);

// Takes over what can change of the settings while it runs.
void runtime_configure(struct runtime *);

// Reads the files of --jwt-keys and --word-list again. Returns whether what they have is in force.
bool runtime_read_files_again(struct runtime *);

// Closes what calls the roles back: workers, engine, placement, client. The roles must still exist.
void runtime_close(struct runtime *);
void runtime_release(struct runtime *);

// Writes the sentence. Returns false.
bool runtime_fail(struct runtime *, const char *format, ...) __attribute__((format(printf, 2, 3)));
