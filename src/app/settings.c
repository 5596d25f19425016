#include "app/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "service/internal_only.h"

#define AT(field) offsetof(struct settings, field)

enum { DAY_MS = 24 * 3600 * 1000 };
#define NO_LIMIT INT64_C(1000000000000)

const struct option_row settings_rows[] = {
    {"bind", NULL, OPTION_STRING, AT(bind), 0, 0, "127.0.0.1", "ADDR", NULL,
     "address to listen on; 0.0.0.0 for all", COMMAND_UP},
    {"public-host", NULL, OPTION_STRING, AT(public_host), 0, 0, NULL, "HOST", NULL,
     "host name under which browsers reach the readers; advertised as publicUrl", COMMAND_UP},
    {"data", NULL, OPTION_STRING, AT(data), 0, 0, "./chorus-data", "DIR", NULL,
     "folder for comments and mappings; made if missing", COMMAND_UP},
    {"manager-port", NULL, OPTION_INT, AT(manager_port), 0, 65535, "6000", "PORT", NULL,
     "port of the manager; 0, here and below, lets the kernel choose", COMMAND_UP},
    {"comment-port", NULL, OPTION_INT, AT(comment_port), 0, 65535, "3000", "PORT", NULL,
     "port of the comment API", COMMAND_UP},
    {"statistics-port", NULL, OPTION_INT, AT(statistics_port), 0, 65535, "5000", "PORT", NULL,
     "port of the statistics service", COMMAND_UP},
    {"reader-ports", NULL, OPTION_STRING, AT(reader_ports), 0, 0, "4001", "LIST", NULL,
     "ports of the readers, comma-separated; further readers count up from the last", COMMAND_UP},
    {"readers", NULL, OPTION_INT, AT(readers), 1, READERS_MAX, "3", "N", NULL, "number of readers",
     COMMAND_UP},
    {"workers", NULL, OPTION_INT, AT(workers), 0, 256, "0", "N", NULL,
     "fan-out threads, shared by the readers; 0: one per core", COMMAND_UP},
    {"heartbeat-ms", NULL, OPTION_INT, AT(heartbeat_ms), 50, DAY_MS, "15000", "MS", NULL,
     "a comment line after this long without a byte on a stream", COMMAND_UP},
    {"stall-timeout-ms", NULL, OPTION_INT, AT(stall_timeout_ms), 50, DAY_MS, "30000", "MS", NULL,
     "a viewer that takes nothing for this long is closed", COMMAND_UP},
    {"unsubscribe-ms", NULL, OPTION_INT, AT(unsubscribe_ms), 0, DAY_MS, "30000", "MS", NULL,
     "a reader lets go of a video this long after its last viewer left", COMMAND_UP},
    {"header-timeout-ms", NULL, OPTION_INT, AT(header_timeout_ms), 50, DAY_MS, "10000", "MS", NULL,
     "time a client has for a request's head", COMMAND_UP},
    {"body-timeout-ms", NULL, OPTION_INT, AT(body_timeout_ms), 50, DAY_MS, "30000", "MS", NULL,
     "time a client has for a request's body", COMMAND_UP},
    {"max-connections", NULL, OPTION_INT, AT(max_connections), 1, 1000000, "10000", "N", NULL,
     "requests' connections per port (viewers' streams are not counted)", COMMAND_UP},
    {"statistics-interval-ms", NULL, OPTION_INT, AT(statistics_interval_ms), 50, DAY_MS, "5000", "MS", NULL,
     "time between reports to the statistics service", COMMAND_UP | COMMAND_CLIENTS},
    {"log-entries", NULL, OPTION_INT, AT(log_entries), 1, 1000000, "1000", "N", NULL,
     "comments kept per video, for viewers that come back", COMMAND_UP},
    {"log-age-ms", NULL, OPTION_INT, AT(log_age_ms), 100, 365 * (int64_t)DAY_MS, "3600000", "MS", NULL,
     "how long they are kept", COMMAND_UP},
    {"max-videos", NULL, OPTION_INT, AT(max_videos), 0, NO_LIMIT, "1000000", "N", NULL,
     "videos with a log or a mapping; 0: no limit", COMMAND_UP},
    {"memory", NULL, OPTION_BYTES, AT(memory), 1 << 16, NO_LIMIT, "256m", "SIZE", NULL,
     "memory for comments on their way to viewers that lag or come back", COMMAND_UP},
    {"durable", NULL, OPTION_BOOL, AT(durable), 0, 0, NULL, NULL, NULL,
     "write through to the disk before a comment is answered: survives a power cut too", COMMAND_UP},
    {"internal-from", NULL, OPTION_STRING, AT(internal_from), 0, 0, "127.0.0.0/8,::1/128", "CIDRS", NULL,
     "addresses that may post statistics; samenet: all in a network of this machine", COMMAND_UP},
    {"internal-token", "INTERNAL_TOKEN", OPTION_STRING, AT(internal_token), 0, 0, NULL, "TOKEN", NULL,
     "bearer token with which other addresses may post statistics", COMMAND_UP | COMMAND_CLIENTS},
    {"user-rate", NULL, OPTION_INT, AT(user_rate), 0, 1000000, "0", "N", NULL,
     "comments per second and user; 0: no limit", COMMAND_UP},
    {"log-level", NULL, OPTION_CHOICE, AT(log_level), 0, 0, "info", "LEVEL", "debug|info|warn|error",
     "debug, info, warn or error", COMMAND_UP | COMMAND_CLIENTS},
    {"comment-url", "COMMENT_API_URL", OPTION_STRING, AT(comment_url), 0, 0, "http://127.0.0.1:3000", "URL",
     NULL, "where the comment API is", COMMAND_CLIENTS},
    {"manager-url", "READER_API_MANAGER_URL", OPTION_STRING, AT(manager_url), 0, 0, "http://127.0.0.1:6000",
     "URL", NULL, "where the manager is", COMMAND_CLIENTS},
    {"statistics-url", "STATISTICS_API_URL", OPTION_STRING, AT(statistics_url), 0, 0, "http://127.0.0.1:5000",
     "URL", NULL, "where the statistics service is", COMMAND_CLIENTS},
    {"viewers", NULL, OPTION_INT, AT(viewers), 1, 1000000, "19", "N", NULL,
     "simulated viewers; the first 100 report to the statistics service", COMMAND_CLIENTS},
    {"videos", NULL, OPTION_INT, AT(videos), 1, 1000000, "6", "N", NULL, "videos that they watch",
     COMMAND_CLIENTS},
    {"rate", NULL, OPTION_INT, AT(rate), -1, 100000, "-1", "N", NULL,
     "comments per second in all, whatever the answers; -1: one per viewer every 10 s", COMMAND_CLIENTS},
    {"distribution", NULL, OPTION_STRING, AT(distribution), 0, 0, NULL, "LAW", NULL,
     "of viewers over videos: uniform or zipf:S; without it 3, 3, 10, 1, 1, 1 of 19 on six videos, else uniform",
     COMMAND_CLIENTS},
    {"duration", NULL, OPTION_INT, AT(duration_s), 0, NO_LIMIT, "0", "SECONDS", NULL,
     "ends so long after the first comment; 0: at SIGINT", COMMAND_CLIENTS},
    {"seed", NULL, OPTION_INT, AT(seed), 0, NO_LIMIT, "1", "N", NULL, "of what is left to chance",
     COMMAND_CLIENTS},
    {"demo", NULL, OPTION_BOOL, AT(demo), 0, 0, NULL, NULL, NULL,
     "simulated viewers and posters, as `chorus clients`", COMMAND_UP},
};

const size_t settings_row_count = sizeof settings_rows / sizeof *settings_rows;

// Takes the next port from a list like "4001,4005"; behind its end they count up.
static bool next_port(const char **list, long *port) {
    if (!**list) {
        if (*port) ++*port;
        return *port <= 65535;
    }
    char *end;
    errno = 0;
    *port = strtol(*list, &end, 10);
    if (end == *list || errno || *port < 0 || *port > 65535 || (*end && *end != ',')) return false;
    *list = end + (*end == ',');
    return true;
}

bool settings_reader_ports(const struct settings *s, int ports[READERS_MAX]) {
    const char *list = s->reader_ports;
    long port = 0;
    for (int64_t i = 0; i < s->readers; i++) {
        if (!next_port(&list, &port)) return false;
        ports[i] = (int)port;
    }
    return true;
}

static bool is_address(const char *text) {
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

bool settings_check(const struct settings *s, char *why, size_t why_size) {
    int ports[READERS_MAX];
    struct internal_only *internal = internal_only_new(s->internal_from, NULL);
    internal_only_free(internal);
    if (!is_address(s->bind))
        snprintf(why, why_size, "--bind is \"%s\", but must be an IPv4 or IPv6 address.", s->bind);
    else if (!settings_reader_ports(s, ports))
        snprintf(why, why_size, "--reader-ports is \"%s\", but must be ports like 4001,4002,4003.",
                 s->reader_ports);
    else if (s->public_host && strpbrk(s->public_host, " /:?#@\"\\<>"))
        snprintf(why, why_size, "--public-host is \"%s\", but must be a host name without port.",
                 s->public_host);
    else if (!internal)
        snprintf(why, why_size,
                 "--internal-from is \"%s\", but must be networks like 10.0.0.0/8,::1 or samenet.",
                 s->internal_from);
    else
        return true;
    return false;
}
