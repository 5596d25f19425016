#include "simulate/placing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "simulate/audience.h"

enum { FIRST_PORT = 4001 };

static void placing_place(struct placing *p, uint32_t video) {
    char id[24];
    snprintf(id, sizeof id, "video%u", video + 1);
    size_t i = policy_pick(p->policy, p->live, p->live_count, id, p->turn++);
    size_t reader = i < p->lost ? i : i + 1; // those after the failed one have moved up
    uint32_t viewers = p->audience->viewers[video];
    p->live[i].load += viewers;
    p->loads[reader].viewers += viewers;
    p->loads[reader].videos++;
    p->reader[video] = (uint32_t)reader;
}

void placing_init(struct placing *p, enum placement_policy policy, const struct audience *audience,
                  size_t readers) {
    *p = (struct placing){
        .policy = policy, .audience = audience, .readers = readers, .lost = readers, .live_count = readers};
    p->reader = mem_zalloc(audience->videos * sizeof *p->reader);
    p->loads = mem_zalloc(readers * sizeof *p->loads);
    p->live = mem_zalloc(readers * sizeof *p->live);
    p->urls = mem_zalloc(readers * sizeof *p->urls);
    for (size_t i = 0; i < readers; i++) {
        snprintf(p->urls[i], sizeof p->urls[i], "http://127.0.0.1:%zu", FIRST_PORT + i);
        p->live[i] = policy_candidate(p->urls[i], 0);
    }
    for (size_t i = 0; i < audience->videos; i++) placing_place(p, audience->registrations[i]);
}

struct placing_load placing_fail_reader(struct placing *p, size_t number) {
    struct placing_load moved = p->loads[number];
    p->lost = number;
    p->live_count--;
    memmove(p->live + number, p->live + number + 1, (p->live_count - number) * sizeof *p->live);
    p->loads[number] = (struct placing_load){0};
    for (size_t i = 0; i < p->audience->videos; i++) {
        uint32_t video = p->audience->registrations[i];
        if (p->reader[video] == number) placing_place(p, video);
    }
    return moved;
}

void placing_release(struct placing *p) {
    free(p->reader);
    free(p->loads);
    free(p->live);
    free(p->urls);
}
