// Rates are kept as one time per cell: when its next permit would be due if permits came evenly (GCRA, ITU-T
// I.371). An address may be ahead of it by a second. Times are sixteenths of a millisecond modulo 2^32; a
// time further ahead than that second is one of days ago.
#include "net/address_limits.h"

#include <math.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/process_wide.h"
#include "net/address.h"
#include "net/networks.h"

enum { ROWS = 2, TICKS_PER_MS = 16, TICKS_AHEAD = 1000 * TICKS_PER_MS };

struct address_cell {
    atomic_uint streams;
    uint32_t connections;
    uint32_t connect_due, post_due;
    int32_t bytes;
};

PROCESS_WIDE static struct address_cell *cells; // ROWS times ADDRESS_CELLS; NULL: nothing is limited
PROCESS_WIDE static atomic_uint cells_used;     // of the first row: those with streams
PROCESS_WIDE static struct address_bounds bounds;
PROCESS_WIDE static struct networks *exempt;

static struct networks *exempt_networks(const char *trusted, bool limits_local) {
    if (!trusted) trusted = "";
    const char *local = limits_local ? "" : "127.0.0.0/8,::1,samenet";
    struct networks *all = networks_new_joined(trusted, local); // NULL: a machine with too many networks
    return all ? all : networks_new(trusted);
}

void address_limits_set(const struct address_bounds *b, const char *trusted, bool limits_local) {
    bounds = *b;
    networks_free(exempt);
    exempt = exempt_networks(trusted, limits_local);
    if (!cells) cells = mem_zalloc(ROWS * (size_t)ADDRESS_CELLS * sizeof *cells);
}

void address_limits_release(void) {
    networks_free(exempt);
    free(cells);
    exempt = NULL;
    cells = NULL;
    atomic_store_explicit(&cells_used, 0, memory_order_relaxed);
}

const struct networks *address_limits_exempt(void) {
    return exempt;
}

address_key address_limits_key(const union address *a) {
    if (!exempt || (a->any.sa_family != AF_INET && a->any.sa_family != AF_INET6)) return 0;
    if (networks_contain(exempt, a)) return 0;
    const uint8_t *v4 = a->any.sa_family == AF_INET ? (const uint8_t *)&a->v4.sin_addr
                                                    : address_embedded_v4(&a->v6.sin6_addr);
    address_key key = (address_key)(v4 ? hash_bytes(v4, 4) : hash_bytes(a->v6.sin6_addr.s6_addr, 8));
    return key ? key : 1;
}

address_key address_limits_key_behind(const union address *proxy) {
    char text[2 + INET6_ADDRSTRLEN] = "> ";
    if (!exempt) return 0;
    address_format(proxy, text + 2, INET6_ADDRSTRLEN);
    address_key key = (address_key)hash_bytes(text, strlen(text));
    return key ? key : 1;
}

static struct address_cell *address_cell(address_key key, int row) {
    return row ? &cells[ADDRESS_CELLS + (key >> 16)] : &cells[key % ADDRESS_CELLS];
}

// Returns how far ahead of the present a cell's permits are.
static uint32_t ticks_ahead(uint32_t due, uint32_t now) {
    uint32_t ahead = due - now;
    return ahead <= TICKS_AHEAD ? ahead : 0;
}

static bool address_take(uint32_t *a, uint32_t *b, int64_t rate, int64_t now_ms) {
    uint32_t now = (uint32_t)now_ms * TICKS_PER_MS, interval = (uint32_t)(TICKS_AHEAD / rate);
    uint32_t ahead_a = ticks_ahead(*a, now), ahead_b = ticks_ahead(*b, now);
    uint32_t next = (ahead_a < ahead_b ? ahead_a : ahead_b) + interval;
    if (next > TICKS_AHEAD) return false;
    *a = now + (ahead_a > next ? ahead_a : next);
    *b = now + (ahead_b > next ? ahead_b : next);
    return true;
}

bool address_limits_may_connect(address_key key, int64_t now_ms) {
    if (!key || !cells || !bounds.connects) return true;
    return address_take(&address_cell(key, 0)->connect_due, &address_cell(key, 1)->connect_due,
                        bounds.connects, now_ms);
}

bool address_limits_may_post(address_key key, int64_t now_ms) {
    if (!key || !cells || !bounds.posts) return true;
    return address_take(&address_cell(key, 0)->post_due, &address_cell(key, 1)->post_due, bounds.posts,
                        now_ms);
}

static unsigned address_streams(address_key key, int row) {
    return atomic_load_explicit(&address_cell(key, row)->streams, memory_order_relaxed);
}

bool address_limits_may_open(address_key key) {
    if (!key || !cells || !bounds.streams) return true;
    return address_streams(key, 0) < bounds.streams || address_streams(key, 1) < bounds.streams;
}

void address_limits_open(address_key key) {
    for (int row = 0; key && cells && row < ROWS; row++) {
        unsigned had = atomic_fetch_add_explicit(&address_cell(key, row)->streams, 1, memory_order_relaxed);
        if (!row && !had) atomic_fetch_add_explicit(&cells_used, 1, memory_order_relaxed);
    }
}

void address_limits_close(address_key key) {
    for (int row = 0; key && cells && row < ROWS; row++) {
        unsigned had = atomic_fetch_sub_explicit(&address_cell(key, row)->streams, 1, memory_order_relaxed);
        if (!row && had == 1) atomic_fetch_sub_explicit(&cells_used, 1, memory_order_relaxed);
    }
}

// Linear counting (Whang et al. 1990): so many addresses leave so many cells free.
double address_limits_streaming(void) {
    double used = atomic_load_explicit(&cells_used, memory_order_relaxed);
    double left = fmax(ADDRESS_CELLS - used, 1);
    return round(ADDRESS_CELLS * log(ADDRESS_CELLS / left));
}

bool address_limits_may_enter(address_key key) {
    if (!key || !cells || !bounds.connections) return true;
    return address_cell(key, 0)->connections < bounds.connections ||
           address_cell(key, 1)->connections < bounds.connections;
}

void address_limits_enter(address_key key) {
    for (int row = 0; key && cells && row < ROWS; row++) address_cell(key, row)->connections++;
}

void address_limits_leave(address_key key) {
    for (int row = 0; key && cells && row < ROWS; row++) address_cell(key, row)->connections--;
}

void address_limits_hold(address_key key, int64_t bytes) {
    for (int row = 0; key && cells && row < ROWS; row++) address_cell(key, row)->bytes += (int32_t)bytes;
}

bool address_limits_is_over(address_key key) {
    if (!key || !cells || !bounds.bytes) return false;
    return address_cell(key, 0)->bytes > bounds.bytes && address_cell(key, 1)->bytes > bounds.bytes;
}
