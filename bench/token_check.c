// What bench/tokens runs: how long the check of a token takes, by algorithm, in CPU time of the thread. The
// algorithms take turns, so that a busy machine slows all of them.
//   token_check CHECKS      prints ALGORITHM MEDIAN_US P99_US REFUSED_US for each; the last is the median for
//                           a token with a wrong signature
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "identity/identity.h"
#include "identity/keys.h"
#include "identity/signer.h"

enum { NOW_S = 1800000000, ALGORITHMS = 4 };

static const char claims[] =
    "{\"sub\":\"ann\",\"iat\":1799999990,\"exp\":1800003600,\"iss\":\"https://id.example.org\",\"aud\":\"chorus\","
    "\"chorus\":{\"videos\":[\"launch\",\"show-*\"],\"can\":[\"read\",\"post\"],\"name\":\"Ann\",\"badges\":[\"vip\"]}}";

struct contender {
    const char *algorithm;
    struct identity_keys *keys;
    struct buf token, wrong;
    double *us, *refused_us;
};

static double thread_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void contender_init(struct contender *c, const char *algorithm, size_t checks) {
    char why[256];
    struct buf secret = {0}, shared = {0};
    *c = (struct contender){.algorithm = algorithm};
    c->keys = identity_keys_new(
        &(struct identity_demands){.issuer = "https://id.example.org", .audience = "chorus"});
    if (!identity_make_key(algorithm, "k", &secret, &shared)) exit(1);
    struct identity_signer *signer = identity_signer_new(secret.data, secret.len, why, sizeof why);
    if (!signer || identity_keys_load(c->keys, shared.data, shared.len, why, sizeof why) != 1) exit(1);
    identity_sign(signer, claims, sizeof claims - 1, &c->token);
    buf_add(&c->wrong, c->token.data, c->token.len);
    char *last = c->wrong.data + c->wrong.len - 20; // of the signature
    *last = *last == 'A' ? 'B' : 'A';
    c->us = calloc(checks, sizeof *c->us);
    c->refused_us = calloc(checks, sizeof *c->refused_us);
    identity_signer_free(signer);
    buf_release(&secret);
    buf_release(&shared);
}

static double time_check(const struct contender *c, const struct buf *token, enum identity_verdict expected) {
    struct identity who;
    double began = thread_us();
    if (identity_check(c->keys, token->data, token->len, NOW_S, &who) != expected) exit(1);
    return thread_us() - began;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    static const char *const algorithms[ALGORITHMS] = {"HS256", "RS256", "ES256", "EdDSA"};
    struct contender all[ALGORITHMS];
    size_t checks = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (!checks) return 2;
    for (int i = 0; i < ALGORITHMS; i++) contender_init(&all[i], algorithms[i], checks);
    for (size_t n = 0; n < checks; n++)
        for (struct contender *c = all; c < all + ALGORITHMS; c++) {
            c->us[n] = time_check(c, &c->token, IDENTITY_OK);
            c->refused_us[n] = time_check(c, &c->wrong, IDENTITY_BAD_SIGNATURE);
        }
    for (struct contender *c = all; c < all + ALGORITHMS; c++) {
        qsort(c->us, checks, sizeof *c->us, by_size);
        qsort(c->refused_us, checks, sizeof *c->refused_us, by_size);
        printf("%s %.1f %.1f %.1f\n", c->algorithm, c->us[checks / 2], c->us[checks * 99 / 100],
               c->refused_us[checks / 2]);
        identity_keys_free(c->keys);
        buf_release(&c->token);
        buf_release(&c->wrong);
        free(c->us);
        free(c->refused_us);
    }
    return 0;
}
