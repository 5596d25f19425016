// What the limits of addresses add to a connection that becomes a stream, in ns: the calls that the server
// makes from accept to close (net/address_limits.h), by 100,000 addresses in turn, so that their cells are
// not in the cache.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "net/address.h"
#include "net/address_limits.h"

enum { ADDRESSES = 100000 };

// Of this thread's CPU: other programs on the machine are no cost of a connect.
static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool connect_and_leave(const union address *peer, int64_t now_ms) {
    address_key key = address_limits_key(peer);
    if (!address_limits_may_connect(key, now_ms) || !address_limits_may_enter(key)) return false;
    address_limits_enter(key);
    address_limits_hold(key, 700); // the request
    bool may = address_limits_may_open(key) && !address_limits_is_over(key);
    address_limits_hold(key, -700);
    address_limits_open(key);
    address_limits_leave(key); // it is a stream now
    address_limits_close(key);
    return may;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 20, allowed = 0;
    static union address peers[ADDRESSES];
    for (uint32_t i = 0; i < ADDRESSES; i++)
        peers[i] =
            (union address){.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0b000000 + i * 7919)}};
    address_limits_set(
        &(struct address_bounds){
            .streams = 2000, .connections = 2000, .connects = 200, .posts = 50, .bytes = 8 << 20},
        NULL, false);
    for (int round = 0; round < rounds; round++) {
        double begun = seconds();
        for (int i = 0; i < ADDRESSES; i++) allowed += connect_and_leave(&peers[i], 1000 + round * 1000);
        printf("%.0f\n", (seconds() - begun) * 1e9 / ADDRESSES);
    }
    address_limits_release();
    return allowed == rounds * ADDRESSES ? 0 : 1;
}
