// The settings of every command, and the table of their options. Read when the process starts, and again at
// SIGHUP.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"

// Commands, as bits for option_row.commands.
enum command {
    COMMAND_UP = 1,
    COMMAND_MANAGER = 2,
    COMMAND_COMMENT = 4,
    COMMAND_READER = 8,
    COMMAND_STATISTICS = 16,
    COMMAND_CLIENTS = 32,
    COMMAND_SIMULATE = 64,
    COMMAND_BENCH = 128,
    COMMAND_TOP = 256,
    COMMAND_BACKUP = 512,
    COMMAND_RESTORE = 1024,
    COMMAND_CHECK = 2048,
    COMMAND_CANARY = 4096,
    COMMAND_TOKEN = 8192,
    COMMAND_LEDGER = 16384,
    COMMAND_ARCHIVE = 32768,
    COMMAND_EXPORT = 65536,
    COMMAND_ERASE = 131072,
    COMMAND_CTL = 262144
};

struct simulate_settings {
    int64_t videos, viewers, readers, comments, cores, max_viewers, redis_rate;
    const char *distribution, *policy, *lose_reader, *html;
    bool json, plan;
};

struct top_settings {
    bool once, json;
};

struct canary_settings {
    const char *video;
    int64_t timeout_ms;
    bool json;
};

struct ledger_settings {
    bool json;
};

struct export_settings {
    int64_t from_ms, to_ms; // -1: not given
    const char *after;
    int64_t format; // enum export_format
};

struct erase_settings {
    bool yes;
};

struct token_settings {
    const char *user, *video, *can, *name, *badges, *lifetime, *kid, *shared;
    int64_t algorithm;
};

struct bench_settings {
    int64_t warmup_s, size, publishers, processes, stalled;
    const char *pid, *require, *json, *html, *hdr;
    const char *subscribe, *publish; // templates
};

struct settings {
    const char *config;             // the file that options were read from, or NULL
    const char *redis, *redis_host; // both NULL: the embedded engine
    bool redis_host_counts;         // rather than `redis`
    const char *redis_password;     // NULL: that of the URL
    const char *redis_ca, *redis_cert, *redis_key;
    int64_t confirm_replicas, confirm_ms;
    int64_t port; // with the next four: of a role that runs on its own
    const char *instance_id, *url, *public_url, *reader_urls;
    const char *bind, *public_host, *data;
    const char *listen, *proxy_listen, *listen_mode, *admin_bind;
    int64_t manager_port, comment_port, statistics_port;
    const char *reader_ports;
    int64_t readers, workers;
    const char *policy;
    int64_t hot_after_ms, cool_after_ms;
    bool hot_set, single_reader;
    int64_t heartbeat_ms, stall_timeout_ms, unsubscribe_ms, header_timeout_ms, body_timeout_ms;
    int64_t statistics_interval_ms;
    int64_t log_entries, log_min_age_ms, log_video_bytes, log_age_ms, max_videos, memory;
    int64_t max_coalesce_ms;
    int64_t max_viewers, connect_rate, drain_s;
    const char *control; // NULL: the usual place
    bool ctl_json;
    int64_t ctl_timeout_ms;
    int64_t archive_days;
    bool durable, own_descriptors, single_port;
    const char *internal_from, *internal_token, *trusted_proxies, *hostnames;
    const char *bearer; // of commands that call a running system
    const char *jwt_keys, *jwt_issuer, *jwt_audience;
    const char *jwks_url, *jwks_ca;
    int64_t jwks_interval_ms;
    int64_t videos_known; // 1: only those that a service created exist
    int64_t user_rate, max_connections;
    int64_t limit_streams, limit_connections, limit_connects, limit_posts, limit_bytes; // of an address
    int64_t limit_user_posts, limit_video_posts;
    bool limit_local;
    const char *word_list;
    int64_t links_refused, capitals, capitals_from, repeat_ms;
    int64_t strikes, strikes_within_ms, time_out_ms;
    const char *review_hook, *review_ca;
    int64_t review_timeout_ms, review_refuses;
    const char *text_rules;
    int64_t text_lines, text_marks;
    int64_t log_level; // LOG_LEVEL_NOT_GIVEN: the command decides
    int64_t log_format;
    const char *comment_url, *manager_url, *statistics_url, *archive_url;
    int64_t viewers, videos, rate, duration_s, seed;
    const char *distribution;
    bool demo;
    int64_t demo_restart_ms;
    struct simulate_settings simulate;
    struct bench_settings bench;
    struct top_settings top;
    bool force; // of backup and restore
    struct canary_settings canary;
    struct ledger_settings ledger;
    struct export_settings export;
    struct erase_settings erase;
    struct token_settings token;
};

enum { LOG_LEVEL_NOT_GIVEN = -1 };

enum { SETTINGS_PATH_MAX = 4096 };

enum { READERS_MAX = 100, SETTINGS_URL_MAX = 512, SETTINGS_REDIS_URL_SIZE = 2048 };

// Reads and checks the settings of a command. `running`: those that the process has; NULL: it is starting.
// Returns whether there are no errors. options_release() must follow either way, once the settings are not
// used any more.
bool settings_read(struct settings *, struct options *, enum command, int argc, char *const *argv,
                   const struct settings *running);

// Reads and checks a configuration file alone, as a command would.
void settings_read_file(struct options *, enum command, const char *path);

// Reads the settings at the start of a command: writes warnings and the first error to stderr. Returns false,
// and releases the options, if there is one.
bool settings_begin(struct settings *, struct options *, enum command, int argc, char *const *argv);

// Takes the first word that is neither an option nor its value out of the arguments of a command. Returns
// NULL if there is none.
char *settings_take_operand(enum command, int *argc, char **argv);

// Take an option that is not in the table out of the arguments of a command, with its value. Return the last
// value, or NULL; whether it was there.
const char *settings_take_value(int *argc, char **argv, const char *flag);
bool settings_take_flag(int *argc, char **argv, const char *flag);

// Returns the command of a name, as a bit, or 0.
enum command settings_command_named(const char *name);

// Writes the first error, as the message of a command that cannot start.
void settings_refuse(const struct options *, enum command);

// Writes each of some sentences to stderr, as a message of the command.
void settings_say(const struct buf *sentences, enum command);

const char *settings_command_name(enum command);

// Writes the URL of Redis. Returns false if the engine is the embedded one.
bool settings_redis_url(const struct settings *, char *url, size_t size);

#define SETTINGS_DATA "./chorus-data" // data folder of `up`, unless it is given

// Writes the path of the control socket: that of --control, or the one in the data folder.
void settings_control_path(const struct settings *, char path[SETTINGS_PATH_MAX]);

// Writes the port of each reader; 0: the kernel chooses. Returns false if the list has more than there are
// readers, or counts up beyond 65535.
bool settings_reader_ports(const struct settings *, int ports[READERS_MAX]);

extern const struct option_table settings_table;
