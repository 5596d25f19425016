// Private to app: what the texts of options must be (option_row.check). Return NULL if they are.
#pragma once

const char *text_redis_url(const char *);
const char *text_redis_password(const char *);
const char *text_redis_host(const char *);
const char *text_reader_url(const char *);
const char *text_public_url(const char *);
const char *text_reader_urls(const char *);
const char *text_part_url(const char *); // of a part that this one calls
const char *text_host(const char *);
const char *text_ports(const char *);
const char *text_networks(const char *);
const char *text_id(const char *);
const char *text_process_id(const char *); // shorter, because names of parts are added
const char *text_token(const char *);
