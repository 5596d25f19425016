// `chorus doctor`: what a deployment that faces the public should be like, walked through point by point. A
// point is answered by one finding or several (one for each port, say): what was found, and the remedy where
// something should be different. Nothing is changed: files are read, Redis is asked, and a stream of a video
// that exists is watched for some seconds.
//
// Blocks; for a command of its own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct stream_ops;

enum doctor_level {
    DOCTOR_OK,
    DOCTOR_UNKNOWN, // it could not be looked at
    DOCTOR_WARNING, // should be different
    DOCTOR_FAULT    // must be, before strangers come
};

enum { DOCTOR_PORTS = 104 };

struct tls_client;

struct doctor_port {
    const char *part, *flag; // "manager", and the option that sets its port
    int port;
    char at[128]; // an address of its own, unix:/PATH or ADDR:PORT; empty: the port on `bind`
    bool for_browsers;
};

// What the services are started with. Strings are borrowed.
struct doctor_config {
    const char *bind;
    struct doctor_port port[DOCTOR_PORTS];
    size_t ports;
    const char *public_url, *trusted_proxies, *jwt_keys, *jwks_url; // NULL: not given
    bool has_streams, has_comments;
    const char *review_hook, *word_list; // NULL: not given
    bool review_refuses;
    struct {
        const char *flag;
        int64_t value; // 0: no limit
    } limit[5];
    int64_t max_connections, memory, heartbeat_ms;
    bool own_descriptors, durable;
    const char *data;  // folder of the embedded engine, or of an archive; NULL: none
    const char *redis; // URL; NULL: the embedded engine
    const char *redis_password;
    int64_t confirm_replicas;
    struct tls_client *redis_tls; // of a URL with TLS
    const char *redis_trouble;    // why there is none: a file of certificates is wrong; NULL: none
    const char *ask;              // URL at which browsers reach streams; NULL: none was given
    const char *video, *token;    // to watch there
};

struct doctor_finding {
    const char *check;
    enum doctor_level level;
    char *found, *remedy; // sentences; remedy is NULL where nothing is to be done
};

struct doctor_report {
    struct doctor_finding *finding;
    size_t count;
};

// The names of the points, in order, ended by NULL.
extern const char *const doctor_checks[];

// `root` is put before the paths of /proc and /sys: empty, except in tests.
void doctor_examine(const struct doctor_config *, const char *root, struct doctor_report *);
void doctor_report_release(struct doctor_report *);

enum doctor_level doctor_worst(const struct doctor_report *);

// Write the report: for people, and as one line of JSON.
void doctor_text(const struct doctor_report *, struct buf *);
void doctor_json(const struct doctor_report *, struct buf *);
