// The simulated world itself: clocks, threads, processes, connections.
#include "../../unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/sock.h"
#include "net/stream.h"
#include "../sim.h"

enum { PORT = 7000, SECOND_US = 1000000 };

// A server that echoes what it reads.

struct echo {
    struct loop *loop;
    struct loop_fd listener;
    int accept_error; // the last one
    unsigned accepted;
};

struct echo_conn {
    struct stream stream;
    struct loop_job reap;
};

static void on_reap(struct loop_job *job) {
    free(container_of(job, struct echo_conn, reap));
}

static void on_echo_ready(struct stream *s) {
    struct echo_conn *c = container_of(s, struct echo_conn, stream);
    char bytes[300];
    ssize_t n = -EAGAIN;
    while (s->readable && (n = stream_read(s, bytes, sizeof bytes)) > 0)
        for (ssize_t done = 0, m; done<n; done += m> 0 ? m : 0) { // few enough to fit sooner or later
            m = stream_write(s, bytes + done, (size_t)(n - done));
            if (m < 0 && m != -EAGAIN) break;
        }
    if (n > 0 || n == -EAGAIN) return;
    stream_close(s);
    c->reap.run = on_reap;
    loop_defer(s->loop, &c->reap);
}

static void on_echo_listener(struct loop_fd *f, uint32_t events) {
    struct echo *e = container_of(f, struct echo, listener);
    union address peer;
    int fd;
    (void)events;
    while ((fd = sock_accept(f->fd, &peer)) >= 0) {
        struct echo_conn *c = mem_zalloc(sizeof *c);
        stream_init(&c->stream, &stream_tcp, e->loop, on_echo_ready);
        assert_int_equal(stream_accept(&c->stream, fd), 0);
        e->accepted++;
    }
    e->accept_error = fd;
}

static union address address_to(const char *host) {
    union address a;
    assert_true(address_parse(&a, sim_address(host)));
    address_set_port(&a, PORT);
    return a;
}

static int run_echo(void *arg) {
    struct echo *e = arg;
    union address here = address_to(sim_name(sim_self()));
    e->loop = loop_new();
    e->listener.on_event = on_echo_listener;
    loop_fd_add(e->loop, &e->listener, sock_listen(&here, false), EPOLLIN);
    return loop_run(e->loop);
}

// A client that sends a number each 10 ms and expects it back.

enum { WORDS = 100, PERIOD_MS = 10 };

struct client {
    struct loop *loop;
    struct stream stream;
    struct loop_timer timer;
    unsigned sent, received;
    size_t partial;
    char word[8];
    int error; // why it ended
    bool ended;
    int user_timeout_ms;
    int64_t ended_us;
};

static void client_end(struct client *c, int error) {
    c->ended = true;
    c->error = error;
    c->ended_us = sim_now_us();
    loop_timer_stop(c->loop, &c->timer);
    stream_close(&c->stream);
    loop_stop(c->loop);
}

static void on_client_due(struct loop_timer *t) {
    struct client *c = container_of(t, struct client, timer);
    char word[9];
    if (c->sent == WORDS) return;
    snprintf(word, sizeof word, "%08u", c->sent++);
    ssize_t n = stream_write(&c->stream, word, 8);
    if (n < 0 && n != -EAGAIN) {
        client_end(c, (int)n);
        return;
    }
    for (ssize_t done = n > 0 ? n : 0; done<8; done += n> 0 ? n : 0) // the buffer is never full
        n = stream_write(&c->stream, word + done, (size_t)(8 - done));
    loop_timer_start(c->loop, t, PERIOD_MS);
}

static void on_client_ready(struct stream *s) {
    struct client *c = container_of(s, struct client, stream);
    ssize_t n;
    if (s->error == -EINPROGRESS) return;
    if (s->error) {
        client_end(c, s->error);
        return;
    }
    if (c->user_timeout_ms) sock_set_user_timeout(s->watch.fd, c->user_timeout_ms);
    if (!c->sent) on_client_due(&c->timer);
    while (s->readable && (n = stream_read(s, c->word + c->partial, 8 - c->partial)) != -EAGAIN) {
        if (n <= 0) {
            client_end(c, (int)n);
            return;
        }
        c->partial = (c->partial + (size_t)n) % 8;
        if (c->partial) continue;
        char expected[9];
        snprintf(expected, sizeof expected, "%08u", c->received++);
        assert_memory_equal(c->word, expected, 8);
    }
}

static int run_client(void *arg) {
    struct client *c = arg;
    union address to = address_to("server");
    c->loop = loop_new();
    c->timer.on_due = on_client_due;
    stream_init(&c->stream, &stream_tcp, c->loop, on_client_ready);
    assert_int_equal(stream_connect(&c->stream, &to), 0);
    loop_run(c->loop);
    loop_free(c->loop);
    return 0;
}

static struct echo echo;
static struct client client;

static void begin(uint64_t seed) {
    memset(&echo, 0, sizeof echo);
    memset(&client, 0, sizeof client);
    sim_world_start(seed, false);
}

static void start_pair(void) {
    sim_start("server", run_echo, &echo);
    sim_world_run(1000);
    sim_start("client", run_client, &client);
}

static void bytes_arrive_in_order_however_they_are_cut(void **state) {
    (void)state;
    begin(3);
    struct sim_kernel k = sim_get_kernel();
    k.short_read_per_million = k.short_write_per_million = k.again_per_million = 300000;
    sim_set_kernel(&k);
    start_pair();
    sim_world_run(5 * SECOND_US);
    assert_int_equal(client.received, WORDS);
    assert_false(client.ended);
    sim_world_free();
}

static uint64_t hash_of(uint64_t seed) {
    begin(seed);
    start_pair();
    sim_world_run(5 * SECOND_US);
    uint64_t hash = sim_hash();
    sim_world_free();
    return hash;
}

static void the_same_seed_has_the_same_hash(void **state) {
    (void)state;
    assert_true(hash_of(7) == hash_of(7));
    assert_true(hash_of(7) != hash_of(8));
}

static void a_cut_path_delays_and_loses_nothing(void **state) {
    (void)state;
    begin(1);
    start_pair();
    sim_world_run(SECOND_US / 2);
    sim_cut("client", "server");
    unsigned before = client.received;
    sim_world_run(4 * SECOND_US);
    assert_in_range(client.received, before, before + 1);
    sim_heal("client", "server");
    sim_world_run(12 * SECOND_US);
    assert_int_equal(client.received, WORDS);
    sim_world_free();
}

static void one_direction_can_be_cut(void **state) {
    (void)state;
    begin(1);
    start_pair();
    sim_world_run(SECOND_US / 2);
    struct sim_path p = sim_get_path("server", "client");
    p.cut = true;
    sim_set_path("server", "client", &p);
    assert_false(sim_get_path("client", "server").cut);
    unsigned before = client.received;
    sim_world_run(4 * SECOND_US);
    assert_in_range(client.received, before, before + 1);
    sim_world_free();
}

static void a_user_timeout_ends_a_connection_without_acknowledgements(void **state) {
    (void)state;
    begin(1);
    client.user_timeout_ms = 700;
    start_pair();
    sim_world_run(SECOND_US / 2);
    sim_cut("client", "server");
    sim_world_run(4 * SECOND_US);
    assert_true(client.ended);
    assert_int_equal(client.error, -ETIMEDOUT);
    assert_in_range(client.ended_us, SECOND_US, 2 * SECOND_US);
    sim_world_free();
}

static void a_killed_process_ends_its_connections(void **state) {
    (void)state;
    begin(1);
    start_pair();
    sim_world_run(SECOND_US / 2);
    sim_kill(sim_process_on("server"));
    assert_null(sim_process_on("server"));
    sim_world_run(2 * SECOND_US);
    assert_true(client.ended);
    assert_in_range(client.ended_us, SECOND_US / 2, SECOND_US / 2 + 20000);
    sim_world_free();
}

static void nothing_listens_where_a_process_was_killed(void **state) {
    (void)state;
    begin(1);
    sim_start("server", run_echo, &echo);
    sim_world_run(1000);
    sim_kill(sim_process_on("server"));
    sim_start("client", run_client, &client);
    sim_world_run(SECOND_US);
    assert_int_equal(client.error, -ECONNREFUSED);
    sim_start("server", run_echo, &echo); // the port is free again
    sim_start("client", run_client, &client);
    sim_world_run(SECOND_US * 3);
    assert_int_equal(client.received, WORDS);
    sim_world_free();
}

static void after_a_power_cut_a_connection_is_half_open_until_the_host_is_back(void **state) {
    (void)state;
    begin(1);
    start_pair();
    sim_world_run(SECOND_US / 2);
    sim_cut_power(sim_process_on("server"));
    sim_world_run(3 * SECOND_US);
    assert_false(client.ended);
    sim_start("server", run_echo, &echo);
    sim_world_run(8 * SECOND_US);
    assert_true(client.ended);
    assert_int_equal(client.error, -ECONNRESET);
    sim_world_free();
}

static void a_paused_process_goes_on_where_it_was(void **state) {
    (void)state;
    begin(1);
    start_pair();
    sim_world_run(SECOND_US / 2);
    sim_pause(sim_process_on("server"));
    unsigned before = client.received;
    sim_world_run(3 * SECOND_US);
    assert_in_range(client.received, before, before + 1);
    sim_continue(sim_process_on("server"));
    sim_world_run(5 * SECOND_US);
    assert_int_equal(client.received, WORDS);
    sim_world_free();
}

static void connections_can_be_reset(void **state) {
    (void)state;
    begin(1);
    start_pair();
    sim_world_run(SECOND_US / 2);
    assert_int_equal(sim_reset_connections("client", NULL), 1);
    sim_world_run(SECOND_US);
    assert_int_equal(client.error, -ECONNRESET);
    sim_world_free();
}

static void descriptors_run_out(void **state) {
    (void)state;
    begin(1);
    sim_start("server", run_echo, &echo);
    sim_world_run(1000);
    sim_limit_descriptors(sim_process_on("server"), 0);
    sim_start("client", run_client, &client);
    sim_world_run(SECOND_US);
    assert_int_equal(echo.accept_error, -EMFILE);
    assert_int_equal(client.received, 0);
    sim_limit_descriptors(sim_process_on("server"), SIZE_MAX);
    sim_world_run(4 * SECOND_US);
    assert_int_equal(client.received, WORDS);
    sim_world_free();
}

// Memory and variables

static int run_eater(void *arg) {
    unsigned *eaten = arg;
    for (;; ++*eaten) memset(mem_alloc(1000), 1, 1000);
    return 0;
}

static void a_process_without_memory_dies(void **state) {
    (void)state;
    unsigned eaten = 0;
    begin(1);
    struct sim_process *p = sim_start("eater", run_eater, &eaten);
    sim_limit_memory(p, 100500);
    sim_world_run(SECOND_US);
    assert_false(sim_alive(p));
    assert_int_equal(eaten, 100);
    assert_int_equal(sim_memory_used(p), 0);
    sim_world_free();
}

static int run_budget(void *arg) {
    struct loop *l = loop_new();
    budget_take(*(const size_t *)arg);
    loop_run(l);
    return 0;
}

static size_t seen;

static int run_look(void *arg) {
    (void)arg;
    seen = budget_used();
    return 0;
}

static void each_process_has_its_own_variables(void **state) {
    (void)state;
    size_t bytes = 12345;
    begin(1);
    sim_start("a", run_budget, &bytes);
    sim_world_run(1000);
    sim_start("b", run_look, NULL);
    sim_world_run(2000);
    assert_int_equal(seen, 0);
    sim_world_free();
}

// Clocks and threads

static int64_t wall_ms, steady_ms;

static int run_clocks(void *arg) {
    (void)arg;
    wall_ms = clock_wall_ms();
    steady_ms = clock_monotonic_ms();
    return 0;
}

static void a_step_moves_only_the_wall_clock_of_its_host(void **state) {
    (void)state;
    begin(1);
    sim_start("a", run_clocks, NULL);
    sim_world_run(SECOND_US);
    int64_t wall_before = wall_ms, steady_before = steady_ms;
    sim_step_clock("a", -3600 * INT64_C(1000000));
    sim_start("a", run_clocks, NULL);
    sim_world_run(2 * SECOND_US);
    assert_in_range(wall_ms - wall_before + 3600000, 999, 1001);
    assert_in_range(steady_ms - steady_before, 999, 1001);
    sim_world_free();
}

struct hand_over {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int value;
    int64_t waited_ms;
};

static void *run_giver(void *arg) {
    struct hand_over *h = arg;
    pthread_mutex_lock(&h->lock);
    h->value = 42;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static int run_taker(void *arg) {
    struct hand_over *h = arg;
    pthread_t thread;
    pthread_mutex_init(&h->lock, NULL);
    clock_condition_init(&h->changed);
    pthread_mutex_lock(&h->lock);
    int64_t begun_ms = clock_monotonic_ms();
    clock_wait(&h->changed, &h->lock, begun_ms + 250); // nothing signals it yet
    h->waited_ms = clock_monotonic_ms() - begun_ms;
    assert_int_equal(pthread_create(&thread, NULL, run_giver, h), 0);
    while (!h->value) pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
    pthread_join(thread, NULL);
    return h->value;
}

static void threads_wait_for_each_other(void **state) {
    (void)state;
    struct hand_over h = {.value = 0};
    begin(1);
    struct sim_process *p = sim_start("a", run_taker, &h);
    sim_world_run(SECOND_US);
    assert_int_equal(sim_exit_code(p), 42);
    assert_in_range(h.waited_ms, 250, 252);
    sim_world_free();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_arrive_in_order_however_they_are_cut),
        cmocka_unit_test(the_same_seed_has_the_same_hash),
        cmocka_unit_test(a_cut_path_delays_and_loses_nothing),
        cmocka_unit_test(one_direction_can_be_cut),
        cmocka_unit_test(a_user_timeout_ends_a_connection_without_acknowledgements),
        cmocka_unit_test(a_killed_process_ends_its_connections),
        cmocka_unit_test(nothing_listens_where_a_process_was_killed),
        cmocka_unit_test(after_a_power_cut_a_connection_is_half_open_until_the_host_is_back),
        cmocka_unit_test(a_paused_process_goes_on_where_it_was),
        cmocka_unit_test(connections_can_be_reset),
        cmocka_unit_test(descriptors_run_out),
        cmocka_unit_test(a_process_without_memory_dies),
        cmocka_unit_test(each_process_has_its_own_variables),
        cmocka_unit_test(a_step_moves_only_the_wall_clock_of_its_host),
        cmocka_unit_test(threads_wait_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
