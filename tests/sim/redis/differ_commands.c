// Commands are written from patterns: words as they are, [optional parts], parts|in|place|of|each|other in
// brackets, <repeated parts>, and values after a percent sign.
#include "differ_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "differ_dice.h"
#include "redis_model_server.h"

// %k key %f field %v value %n number %t time %s score %i id %b bound of ids %r rank %c channel %S bound of
// scores
static struct pattern {
    const char *text;
    enum differ_shape shape;
    unsigned weight;
    unsigned long written;
} patterns[] = {
    {"GET %k", 0, 4, 0},
    {"SET %k %v [EX %t|PX %t|PXAT %a|KEEPTTL] [NX|XX] [GET]", 0, 6, 0},
    {"GETEX %k [PX %t|EX %t|PXAT %a|PERSIST]", 0, 4, 0},
    {"MGET <%k>", 0, 2, 0},
    {"STRLEN %k", 0, 1, 0},
    {"INCR %k", 0, 3, 0},
    {"DECR %k", 0, 2, 0},
    {"INCRBY %k %n", 0, 2, 0},
    {"DEL <%k>", 0, 1, 0},
    {"UNLINK <%k>", 0, 2, 0},
    {"EXISTS <%k>", 0, 2, 0},
    {"TYPE %k", 0, 2, 0},
    {"RENAME %k %k", 0, 2, 0},
    {"KEYS [*|k*|*1]", DIFFER_ORDER, 1, 0},
    {"EXPIRE %k %n", 0, 1, 0},
    {"PEXPIRE %k %t [NX|XX|GT|LT] [NX|XX|GT|LT]", 0, 4, 0},
    {"PEXPIREAT %k %a", 0, 1, 0},
    {"EXPIREAT %k %n", 0, 1, 0},
    {"TTL %k", 0, 2, 0},
    {"PTTL %k", 0, 4, 0},
    {"PERSIST %k", 0, 1, 0},
    {"HSET %k <%f %v>", 0, 5, 0},
    {"HGET %k %f", 0, 3, 0},
    {"HMGET %k <%f>", 0, 2, 0},
    {"HEXISTS %k %f", 0, 1, 0},
    {"HLEN %k", 0, 2, 0},
    {"HKEYS %k", DIFFER_ORDER, 2, 0},
    {"HGETALL %k", DIFFER_ORDER_2, 3, 0},
    {"HINCRBY %k %f %n", 0, 3, 0},
    {"HDEL %k <%f>", 0, 3, 0},
    {"SADD %k <%f>", 0, 1, 0},
    {"LPUSH %k <%v>", 0, 3, 0},
    {"RPUSH %k <%v>", 0, 1, 0},
    {"LLEN %k", 0, 1, 0},
    {"LRANGE %k %r %r", 0, 3, 0},
    {"LTRIM %k %r %r", 0, 2, 0},
    {"ZADD %k [NX|XX] [CH] <%s %f>", 0, 6, 0},
    {"ZSCORE %k %f", 0, 3, 0},
    {"ZCARD %k", 0, 2, 0},
    {"ZRANK %k %f", 0, 2, 0},
    {"ZCOUNT %k %S %S", 0, 2, 0},
    {"ZREM %k <%f>", 0, 2, 0},
    {"ZRANGE %k %r %r [WITHSCORES]", 0, 3, 0},
    {"ZREVRANGE %k %r %r [WITHSCORES]", 0, 3, 0},
    {"ZRANGEBYSCORE %k %S %S [LIMIT %r %r]", 0, 4, 0},
    {"ZREMRANGEBYRANK %k %r %r", 0, 2, 0},
    {"ZREMRANGEBYSCORE %k %S %S", 0, 2, 0},
    {"XADD %k [NOMKSTREAM] [MAXLEN %n|MINID %i] %i <%f %v>", 0, 12, 0},
    {"XADD k1 5-29 %f %v", 0, 6, 0}, // often there already
    {"XADD %k * %f %v", 0, 2, 0},
    {"XLEN %k", 0, 2, 0},
    {"XRANGE %k %b %b [COUNT %n]", 0, 6, 0},
    {"XREVRANGE %k %b %b [COUNT %n]", 0, 5, 0},
    {"XTRIM %k [MAXLEN|MINID|FOO] [=] %i [LIMIT %n]", 0, 1, 0},
    {"XTRIM %k MAXLEN %n", 0, 2, 0},
    {"XTRIM %k MINID %i", 0, 2, 0},
    {"XDEL %k <%i>", 0, 3, 0},
    {"XSETID %k %i", 0, 2, 0},
    {"PUBLISH %c %v", 0, 6, 0},
    {"PUBSUB NUMSUB <%c>", 0, 2, 0},
    {"PUBSUB CHANNELS [*|c*|video:*]", DIFFER_ORDER, 1, 0},
    {"PING [%v]", 0, 1, 0},
    {"ECHO %v", 0, 1, 0},
    {"TIME", 0, 2, 0},
    {"ROLE", DIFFER_REST, 1, 0},
    // No MEMORY USAGE of a key that may have expired: Redis still counts it until it gets round to deleting
    // it.
    {"SELECT [0|1|1|0|99|x]", 0, 1, 0},
    {"CLIENT SETNAME [a|b|c]", 0, 1, 0},
    {"CLIENT GETNAME", 0, 1, 0},
    {"CLIENT ID", DIFFER_VALUE, 1, 0},
    {"CLIENT UNPAUSE", 0, 1, 0},
    {"CONFIG GET maxmemory", 0, 1, 0},
    {"SCRIPT EXISTS 0123456789012345678901234567890123456789", 0, 1, 0},
    {"EVALSHA 0123456789012345678901234567890123456789 0", 0, 1, 0},
    {"AUTH [%v] [%v]", 0, 1, 0},
    {"ACL WHOAMI", 0, 1, 0},
    {"HELLO [2|9]", DIFFER_VALUE, 1, 0},
    {"[NOSUCH|CLIENT|SCRIPT|CONFIG|PUBSUB] [NOSUCH %k]", 0, 1, 0},
};
enum { PATTERNS = sizeof patterns / sizeof *patterns };

static const char *const numbers[] = {
    "0", "1", "2", "3", "5", "10", "-1", "-2", "100", "007", "x", "9223372036854775807", ""};
static const char *const scores[] = {"0",   "1",   "2",    "2.5", "-3",
                                     "1e3", "inf", "-inf", "x",   "1795747601581551"};

static void write_bound(struct words *w) {
    switch (dice(8)) {
    case 0:
    case 1: words_add(w, "-"); break;
    case 2:
    case 3: words_add(w, "+"); break;
    case 4: words_add(w, "(%d-%d", (int)dice(4), (int)dice(12)); break;
    case 5: words_add(w, "%d", (int)dice(4)); break;
    case 6: words_add(w, "%s", dice_one_in(4) ? "(18446744073709551615-18446744073709551615" : "x"); break;
    default: words_add(w, "%d-%d", (int)dice(4), (int)dice(12)); break;
    }
}

static void write_value(struct words *w, char kind) {
    switch (kind) {
    case 'k': words_add(w, "k%d", (int)dice(10)); break;
    case 'f': words_add(w, "f%d", (int)dice(6)); break;
    case 'v':
        if (dice_one_in(3))
            words_add(w, "%d", (int)dice(1000) - 300);
        else
            words_add(w, "v %d {\"a\":\"%08d\"}", (int)dice(50), (int)dice(100));
        break;
    case 'n': words_add(w, "%s", numbers[dice(sizeof numbers / sizeof *numbers)]); break;
    case 't':
        if (dice_one_in(10))
            words_add(w, "%s", numbers[dice(sizeof numbers / sizeof *numbers)]);
        else
            words_add(w, "%d", (int)dice(3000) + 1);
        break;
    case 'a': words_add(w, "%lld", 1795747600000 + (long long)dice(2000000)); break;
    case 's': words_add(w, "%s", scores[dice(sizeof scores / sizeof *scores)]); break;
    case 'S':
        words_add(w, "%s%s", dice_one_in(3) ? "(" : "", scores[dice(sizeof scores / sizeof *scores)]);
        break;
    case 'i':
        if (dice_one_in(12))
            words_add(w, "%s", numbers[dice(sizeof numbers / sizeof *numbers)]);
        else
            words_add(w, "%d-%d", (int)dice(6), (int)dice(30));
        break;
    case 'b': write_bound(w); break;
    case 'r': words_add(w, "%d", (int)dice(8) - 4); break;
    case 'c': words_add(w, "%s%d", dice_one_in(2) ? "video:v" : "c", (int)dice(3)); break;
    default: abort();
    }
}

static void write_words(struct words *w, const char *at, const char *end);

// Returns the end of the part, and counts its alternatives.
static const char *part_end(const char *at, char close, size_t *count) {
    for (*count = 1; *at != close; at++) *count += *at == '|';
    return at;
}

static void write_one_of(struct words *w, const char *at, const char *end, size_t chosen) {
    for (; chosen; at++) chosen -= *at == '|';
    const char *bar = memchr(at, '|', (size_t)(end - at));
    write_words(w, at, bar ? bar : end);
}

static void write_words(struct words *w, const char *at, const char *end) {
    while (at < end) {
        size_t count, len = strcspn(at, " [<|>]");
        if (*at == '[' || *at == '<') {
            const char *close = part_end(at + 1, *at == '[' ? ']' : '>', &count);
            if (*at == '[' && dice_one_in(2)) write_one_of(w, at + 1, close, (size_t)dice(count));
            for (uint64_t i = *at == '<' ? dice(3) + 1 : 0; i; i--) write_words(w, at + 1, close);
            at = close + 1;
        } else if (*at == ' ') {
            at++;
        } else {
            if (len > (size_t)(end - at)) len = (size_t)(end - at);
            if (*at == '%')
                write_value(w, at[1]);
            else
                words_add(w, "%.*s", (int)len, at);
            at += len;
        }
    }
}

void differ_command(struct words *w, enum differ_shape *shape) {
    unsigned total = 0;
    for (size_t i = 0; i < PATTERNS; i++) total += patterns[i].weight;
    uint64_t at = dice(total);
    struct pattern *p = patterns;
    for (; at >= p->weight; p++) at -= p->weight;
    words_clear(w);
    write_words(w, p->text, p->text + strlen(p->text));
    if (!w->argc) words_add(w, "PING");
    if (dice_one_in(60) && w->argc > 1) w->argc--;
    if (dice_one_in(80)) words_add(w, "surplus");
    p->written++;
    *shape = p->shape;
}

void differ_subscription(struct words *w) {
    const char *pattern = dice_one_in(3) ? "UNSUBSCRIBE <%c>" : "SUBSCRIBE <%c>";
    words_clear(w);
    write_words(w, pattern, pattern + strlen(pattern));
}

void differ_commands_print(void) {
    unsigned long least = patterns[0].written;
    for (size_t i = 0; i < PATTERNS; i++)
        if (patterns[i].written < least) least = patterns[i].written;
    printf("%d patterns of commands, each at least %lu times\n", PATTERNS, least);
}

// The table

static bool has_flag(const redisReply *flags, const char *name) {
    for (size_t i = 0; i < flags->elements; i++)
        if (!strcmp(flags->element[i]->str, name)) return true;
    return false;
}

static bool same_command(const struct model_command *c, const redisReply *real) {
    static const struct {
        const char *name;
        unsigned flag;
    } flags[] = {{"write", MODEL_WRITE},       {"denyoom", MODEL_DENYOOM}, {"loading", MODEL_LOADING},
                 {"noscript", MODEL_NOSCRIPT}, {"no_auth", MODEL_NO_AUTH}, {"admin", MODEL_ADMIN},
                 {"readonly", MODEL_READONLY}};
    bool same = c->arity == real->element[1]->integer;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        same = same && has_flag(real->element[2], flags[i].name) == !!(c->flags & flags[i].flag);
    return same && c->first_key == real->element[3]->integer && c->last_key == real->element[4]->integer &&
           c->key_step == real->element[5]->integer;
}

bool differ_table(redisContext *c) {
    bool same = true;
    int count = 0;
    for (const struct model_command *m = NULL; (m = model_command_next(m)); count++) {
        redisReply *r = redisCommand(c, "COMMAND INFO %s", m->name);
        bool known = r && r->elements == 1 && r->element[0]->type == REDIS_REPLY_ARRAY;
        if (!known || !same_command(m, r->element[0])) {
            printf("DIFFERENT in the table of commands: %s\n", m->name);
            same = false;
        }
        if (r) freeReplyObject(r);
    }
    printf("%d commands have the arity, flags and keys of the real ones\n", count);
    return same;
}
