// Private to app: what the texts of options must be (option_row.check). Return NULL if they are.
#pragma once

#include <stdbool.h>
#include <stdint.h>

const char *text_redis_url(const char *);
const char *text_redis_password(const char *);
const char *text_redis_host(const char *);
const char *text_reader_url(const char *);
const char *text_public_url(const char *);
const char *text_reader_urls(const char *);
const char *text_policy(const char *);
const char *text_part_url(const char *); // of a part that this one calls
const char *text_jwks_url(const char *);
const char *text_review_hook(const char *);
const char *text_host(const char *);
const char *text_ports(const char *);
const char *text_listen(const char *text);
const char *text_address(const char *text);
const char *text_mode(const char *text);
const char *text_hostnames(const char *text);
const char *text_networks(const char *);
const char *text_id(const char *);
const char *text_position(const char *);
const char *text_process_id(const char *); // shorter, because names of parts are added
const char *text_token(const char *);
const char *text_rights(const char *);
const char *text_rule_names(const char *);
const char *text_duration(const char *);

// Returns the seconds of a text that text_duration() accepts.
int64_t text_duration_s(const char *);

// Whether one of a comma-separated list is this.
bool text_list_has(const char *list, const char *item);
