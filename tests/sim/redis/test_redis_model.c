// The model of Redis and a real redis-server get the same random commands, calls of the engine's scripts with
// their arguments, subscriptions and settings; replies and messages must be the same. Both see one wall
// clock, which the test moves, so that what expires does so for both.
//
//   test_redis_model [ROUNDS [SEED]]
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "differ_dice.h"
#include "differ_commands.h"
#include "differ_pair.h"
#include "differ_scripts.h"

enum { ROUNDS = 60, COMMANDS = 120, SCRIPTS = 60, BEGIN_S = 1795747600 };

struct prng differ_dice;
static struct pair pair;

static void send_commands(size_t count) {
    static struct words w;
    enum differ_shape shape;
    for (size_t i = 0; i < count; i++) {
        differ_command(&w, &shape);
        pair_send(&pair, &w, shape);
        if (dice_one_in(8)) pair_compare(&pair);
        if (!dice_one_in(20)) continue;
        pair_compare(&pair);
        differ_subscription(&w);
        pair_subscriber_send(&pair, (int)dice(DIFFER_SUBSCRIBERS), &w);
        pair_listen(&pair); // so that it is in force on both
    }
    pair_compare(&pair);
    pair_listen(&pair);
}

static void call_scripts(size_t count) {
    for (size_t i = 0; i < count; i++) {
        differ_script(&pair);
        if (dice_one_in(6)) pair_pass(&pair, (int64_t)dice(40000));
    }
    pair_compare(&pair);
    pair_listen(&pair);
}

// Looks at a key in each millisecond around the one in which it expires.
static void expire(void) {
    int left_ms = 20 + (int)dice(400);
    pair_say(&pair, DIFFER_EXACT, "SET brief x PX %d", left_ms);
    pair_pass(&pair, (left_ms - 2) * INT64_C(1000));
    for (int i = 0; i < 5; i++) {
        pair_say(&pair, DIFFER_EXACT, "PTTL brief");
        pair_say(&pair, DIFFER_EXACT, "GET brief");
        pair_pass(&pair, 1000);
    }
}

// What makes a server refuse, and what makes it accept again.
static const struct mood {
    const char *begin, *end;
    bool other_history; // ids change
} moods[] = {
    {"CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", false},
    {"CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0", false},
    {"REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", true},
    {"ACL SETUSER default -xadd", "ACL SETUSER default +xadd", false},
    {"ACL SETUSER default -publish -pexpire", "ACL SETUSER default +publish +pexpire", false},
    {"ACL SETUSER default -xtrim -xdel -memory -del", "ACL SETUSER default +@all", false},
    {"ACL SETUSER default -@write", "ACL SETUSER default +@write", false},
    {"ACL SETUSER default -lpush -hset -zadd -incr", "ACL SETUSER default +@all", false},
    {"ACL SETUSER default resetchannels &video:*", "ACL SETUSER default allchannels", false},
    {"ACL SETUSER default resetchannels &c*", "ACL SETUSER default allchannels", false},
    {"ACL SETUSER default resetkeys ~{video:*", "ACL SETUSER default allkeys", false},
    {"CLIENT KILL TYPE pubsub", "PING", false},
    {"SCRIPT FLUSH", "PING", false},
    {"FLUSHALL", "PING", false},
};
enum { MOODS = sizeof moods / sizeof *moods };

static void have_a_mood(const struct mood *m) {
    pair_say(&pair, DIFFER_EXACT, "SELECT 0");
    pair_say(&pair, DIFFER_EXACT, "%s", m->begin);
    pair_listen(&pair);
    if (m->other_history) pair_share_ids(&pair);
    call_scripts(SCRIPTS / 2);
    send_commands(COMMANDS / 4);
    pair_say(&pair, DIFFER_EXACT, "%s", m->end);
    if (m->other_history) pair_share_ids(&pair);
    differ_scripts_load(&pair);
}

// Replication

// Compares all that is in the selected databases.
static void compare_data(void) {
    static const char *const reads[] = {"TYPE", "GET", "HGETALL", "LRANGE", "ZRANGE", "XRANGE"};
    static const char *const videos[] = {"log", "pos", "tokens", "tokens:older"};
    for (int i = 0; i < 10; i++)
        for (size_t r = 0; r < sizeof reads / sizeof *reads; r++)
            pair_say(&pair, r == 2 ? DIFFER_ORDER_2 : DIFFER_EXACT, "%s k%d%s", reads[r], i,
                     r < 3    ? ""
                     : r == 5 ? " - +"
                              : " 0 -1");
    for (int i = 0; i < 8; i++)
        for (size_t v = 0; v < 4; v++)
            pair_say(&pair, v < 2 ? DIFFER_EXACT : DIFFER_ORDER_2,
                     v == 0   ? "XRANGE {video:v%d}:%s - +"
                     : v == 1 ? "GET {video:v%d}:%s"
                              : "HGETALL {video:v%d}:%s",
                     i, videos[v]);
    pair_say(&pair, DIFFER_ORDER, "KEYS *");
    pair_say(&pair, DIFFER_EXACT, "ZRANGE chorus:mapped 0 -1 WITHSCORES");
    pair_say(&pair, DIFFER_EXACT, "LRANGE chorus:newest 0 -1");
    pair_say(&pair, DIFFER_ORDER_2, "HGETALL readers");
}

static void await_replicas(void) {
    static int mark;
    char command[48], reply[16];
    mark++;
    snprintf(reply, sizeof reply, "mark%d", mark);
    pair_say(&pair, DIFFER_EXACT, "SELECT 0");
    pair_say(&pair, DIFFER_EXACT, "SET mark %s", reply);
    snprintf(command, sizeof command, "GET mark");
    pair_use_replicas(&pair, true);
    pair_await(&pair, command, reply);
    pair_share_ids(&pair);
    pair_use_replicas(&pair, false);
    pair_share_ids(&pair);
}

static void follow(bool replicas) {
    for (int i = 0; i < 2; i++) {
        struct peer *e = &pair.peers[i];
        int port = replicas ? e->port : e->replica_port;
        redisReply *r = redisCommand(replicas ? e->replica : e->commands, "REPLICAOF 127.0.0.1 %d", port);
        if (!r || r->type == REDIS_REPLY_ERROR) abort();
        freeReplyObject(r);
    }
}

// A replica gets what its primary has; is promoted while the primary goes on; and gives the primary its data,
// which loses what it has written since.
static void fail_over_and_back(void) {
    follow(true);
    await_replicas();
    send_commands(COMMANDS);
    call_scripts(SCRIPTS);
    await_replicas();
    pair_listen_to_replicas(&pair);
    pair_use_replicas(&pair, true);
    compare_data();
    pair_say(&pair, DIFFER_EXACT, "SET x 1");
    pair_say(&pair, DIFFER_EXACT, "REPLICAOF NO ONE");
    pair_share_ids(&pair);
    differ_scripts_load(&pair);
    call_scripts(SCRIPTS);
    pair_listen_to_replicas(&pair);
    pair_use_replicas(&pair, false);
    pair_say(&pair, DIFFER_EXACT, "SELECT 0");
    call_scripts(SCRIPTS / 2); // what will be lost
    follow(false);
    pair_use_replicas(&pair, true);
    await_replicas();
    pair_use_replicas(&pair, false);
    pair_share_ids(&pair);
    compare_data();
    pair_say(&pair, DIFFER_EXACT, "REPLICAOF NO ONE");
    pair_share_ids(&pair);
    call_scripts(SCRIPTS);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : ROUNDS;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1; // CI repeats itself: it is no place to search
    differ_dice.state = seed;
    printf("test_redis_model %d %" PRIu64 "\n", rounds, seed);
    fflush(stdout);
    pair_start(&pair, "redis-server", REDIS_MODEL_SERVER, BEGIN_S * INT64_C(1000000));
    bool same = differ_table(pair.peers[0].commands);
    differ_lua(&pair);
    differ_scripts_load(&pair);
    pair_subscribe_at_replicas(&pair, "SUBSCRIBE c0 c1 video:v0 video:v1");
    for (int i = 0; i < rounds; i++) {
        send_commands(COMMANDS);
        pair_say(&pair, DIFFER_EXACT, "SELECT 0");
        call_scripts(SCRIPTS);
        expire();
        have_a_mood(&moods[(size_t)i % MOODS]);
        if (i % 20 == 7) fail_over_and_back();
        pair_pass(&pair, dice_one_in(4) ? (int64_t)dice(8000000) - 1000000 : (int64_t)dice(300000));
    }
    printf("%d rounds: %" PRIu64 " replies the same, %" PRIu64 " of them errors; %" PRIu64
           " messages; %" PRIu64 " subscribers disconnected\n",
           rounds, pair.commands, pair.errors, pair.messages, pair.kicks);
    differ_commands_print();
    differ_scripts_print();
    pair_stop(&pair);
    return same ? 0 : 1;
}
