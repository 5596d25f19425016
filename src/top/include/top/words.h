// Figures as people read them, in a few characters. Pure.
#pragma once

#include <jansson.h>

enum { WORDS_SIZE = 24 };

// Each writes into `out` and returns it; a value that is no number becomes "-".
const char *words_of_count(char out[WORDS_SIZE], const json_t *); // 19, 123k, 1.2M
const char *words_of_rate(char out[WORDS_SIZE], const json_t *);  // 1.9, 85, 1.2k
const char *words_of_ms(char out[WORDS_SIZE], const json_t *);    // <1 ms, 1.2 ms, 85 ms, 1.2 s
const char *words_of_bytes(char out[WORDS_SIZE], const json_t *); // 12 MB
const char *words_of_ratio(char out[WORDS_SIZE], const json_t *); // 1.58
const char *words_of_age(char out[WORDS_SIZE], const json_t *);   // 12 s, 3 min; from ms
const char *words_of_time(char out[WORDS_SIZE], const json_t *);  // 20:31:05, local; from ms
