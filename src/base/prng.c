#include "base/prng.h"

static uint64_t prng_next(struct prng *p) {
    p->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = p->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

// The high half of the product is uniform except for a bias of below / 2^64, which is too small to measure.
uint64_t prng_below(struct prng *p, uint64_t below) {
    return (uint64_t)(((unsigned __int128)prng_next(p) * below) >> 64);
}

double prng_unit(struct prng *p) {
    return (double)(prng_next(p) >> 11) * 0x1p-53;
}
