// Private to doctor: the points, and what they add to the report. Each function answers one point or several
// of doctor_checks.
#pragma once

#include "doctor/doctor.h"

struct machine;
struct redis_facts;
struct stream_facts;

// Adds a finding. `remedy` NULL: nothing is to be done.
void doctor_add(struct doctor_report *, const char *check, enum doctor_level, const char *remedy,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

// From the configuration alone
void check_ports(const struct doctor_config *, struct doctor_report *);
void check_users(const struct doctor_config *, struct doctor_report *);
void check_moderation(const struct doctor_config *, struct doctor_report *);
void check_limits(const struct doctor_config *, struct doctor_report *);
void check_proxy(const struct doctor_config *, struct doctor_report *);

void check_stream(const struct doctor_config *, const struct stream_facts *, struct doctor_report *);

// Of the machine
void check_descriptors(const struct doctor_config *, const struct machine *, struct doctor_report *);
void check_backlog(const struct machine *, struct doctor_report *);
void check_conntrack(const struct doctor_config *, const struct machine *, struct doctor_report *);
void check_clock(const struct machine *, const struct redis_facts *, struct doctor_report *);
void check_memory(const struct doctor_config *, const struct machine *, struct doctor_report *);
void check_disk(const struct doctor_config *, const struct machine *, struct doctor_report *);

// Of the store. redis_facts NULL: the embedded engine.
void check_redis(const struct doctor_config *, const struct redis_facts *, struct doctor_report *);
void check_redis_access(const struct doctor_config *, const struct redis_facts *, struct doctor_report *);
void check_redis_rights(const struct redis_facts *, struct doctor_report *);
void check_durability(const struct doctor_config *, const struct redis_facts *, struct doctor_report *);
void check_redis_memory(const struct redis_facts *, struct doctor_report *);
void check_redis_buffers(const struct redis_facts *, struct doctor_report *);
