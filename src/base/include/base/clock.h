// The clocks. Everything inside the program runs on monotonic milliseconds, which a loop reads once per turn
// and passes on as now_ms, so that tests can move the clock. Wall-clock milliseconds since 1970 are used only
// for ids and timestamps. Any thread.
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
int64_t clock_thread_cpu_us(void);  // CPU time of the calling thread
int64_t clock_process_cpu_us(void); // CPU time of the whole process
int64_t clock_wall_ms(void);
int64_t clock_wall_us(void);

// Initialises a condition variable for clock_wait().
void clock_condition_init(pthread_cond_t *);

// Waits as pthread_cond_wait() does, but at most until `due_ms` on the monotonic clock.
void clock_wait(pthread_cond_t *, pthread_mutex_t *, int64_t due_ms);

enum { CLOCK_ISO8601_SIZE = 32, CLOCK_HTTP_DATE_SIZE = 32 };

// Write a wall time as 2026-11-23T22:41:29.123Z (RFC 3339), and as an HTTP date (RFC 9110, 5.6.7).
void clock_iso8601(int64_t wall_ms, char out[CLOCK_ISO8601_SIZE]);
void clock_http_date(int64_t wall_ms, char out[CLOCK_HTTP_DATE_SIZE]);

// Reads what clock_iso8601() writes, all of its 24 characters. Returns -1 for anything else.
enum { CLOCK_ISO8601_LEN = 24 };
int64_t clock_read_iso8601(const char *text);
