// Responses whose body comes in pieces: as fast as the client reads, and no faster.
#include "http_world.h"

#define WAIT "GET /wait HTTP/1.1\r\n" HOST "\r\n"

enum { PIECE = 16384, SMALL_BUFFER = 4096 };

static unsigned rooms; // times that on_room() was called

static void on_room(void *arg) {
    assert_ptr_equal(arg, &world);
    rooms++;
}

static bool rooms_come(void *count) {
    return rooms >= *(unsigned *)count;
}

static void expect_room(unsigned count) {
    run_until(world.loop, rooms_come, &count);
    assert_int_equal(rooms, count);
}

// Begins the body of the i-th request that waits.
static struct http_exchange *begin(unsigned i) {
    struct http_exchange *x = world.waiting[i];
    rooms = 0;
    world.waiting[i] = NULL;
    http_begin_body(x, &(struct http_reply){.status = 200, .content_type = "x/y"}, on_room, &world);
    return x;
}

// A client that reads nothing, with small buffers on both sides; its request is one of so many that wait.
static struct peer *open_unread(unsigned waiting) {
    int size = SMALL_BUFFER;
    setsockopt(listening_socket(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    peer_open_with(&world.peers[0], world.loop, world.port, SMALL_BUFFER);
    struct peer *p = send_from(0, WAIT);
    peer_pause(p, true);
    expect_waiting(waiting);
    return p;
}

static bool has_text(void *arg) {
    const char *end = arg;
    struct peer *p = &world.peers[0];
    return p->ended || (p->got.len >= strlen(end) && strstr(buf_string(&p->got), end));
}

static void expect_text(struct peer *p, const char *end) {
    run_until(world.loop, has_text, (void *)end);
    assert_non_null(strstr(buf_string(&p->got), end));
}

static void test_pieces_arrive_as_they_are_added(void **state) {
    (void)state;
    struct peer *p = send_from(0, WAIT "GET / HTTP/1.1\r\n" HOST "\r\n");
    expect_waiting(1);
    struct http_exchange *x = begin(0);
    assert_int_equal(http_add_body(x, "one", 3), HTTP_ROOM);
    expect_text(p, "\r\n\r\n3\r\none\r\n");
    assert_non_null(strstr(buf_string(&p->got), "Content-Type: x/y\r\nTransfer-Encoding: chunked\r\n"));
    assert_null(strstr(buf_string(&p->got), "Content-Length"));
    buf_clear(&p->got);
    assert_int_equal(http_add_body(x, "", 0), HTTP_ROOM); // an empty chunk would be the last one
    assert_int_equal(http_add_body(x, "two", 3), HTTP_ROOM);
    exchange();
    assert_int_equal(world.handled, 1); // the next request waits for the end
    http_end_body(x, true);
    expect_text(p, "3\r\ntwo\r\n0\r\n\r\n");
    buf_consume(&p->got, strlen("3\r\ntwo\r\n0\r\n\r\n"));
    peer_expect(p, 200, "root"); // on the same connection
    assert_int_equal(rooms, 0);
}

static void test_a_client_of_http_1_0_reads_up_to_the_end(void **state) {
    (void)state;
    struct peer *p = send_from(0, "GET /wait HTTP/1.0\r\nConnection: keep-alive\r\n" HOST "\r\n");
    expect_waiting(1);
    struct http_exchange *x = begin(0);
    assert_int_equal(http_add_body(x, "text", 4), HTTP_ROOM);
    http_end_body(x, true);
    run_until(world.loop, peer_has_ended, p);
    assert_int_equal(p->error, 0);
    assert_null(strstr(buf_string(&p->got), "chunked"));
    assert_non_null(strstr(buf_string(&p->got), "Connection: close\r\n"));
    assert_string_equal(strstr(buf_string(&p->got), "\r\n\r\n"), "\r\n\r\ntext");
}

static void test_head_has_no_pieces(void **state) {
    (void)state;
    struct peer *p = send_from(0, "HEAD /wait HTTP/1.1\r\n" HOST "\r\n");
    p->asks_head = true;
    expect_waiting(1);
    struct http_exchange *x = begin(0);
    assert_int_equal(http_add_body(x, "text", 4), HTTP_ROOM);
    http_end_body(x, true);
    peer_expect(p, 200, NULL);
    expect_silence(p);
}

// Found by this test to be needed: what waits to be sent is bounded, whatever the client reads.
static void test_a_client_that_does_not_read_gets_no_more(void **state) {
    (void)state;
    static char piece[PIECE];
    size_t added = 0;
    struct peer *p = open_unread(1);
    struct http_exchange *x = begin(0);
    memset(piece, 'p', sizeof piece);
    enum http_room room = HTTP_ROOM;
    for (; room == HTTP_ROOM && added < 64; added++) room = http_add_body(x, piece, sizeof piece);
    assert_int_equal(room, HTTP_NO_ROOM);
    assert_true(added * PIECE < HTTP_PIECES_UNSENT + 16 * PIECE);
    exchange();
    assert_int_equal(rooms, 0);
    peer_pause(p, false);
    expect_room(1);
    assert_int_equal(http_add_body(x, "end", 3), HTTP_ROOM);
    http_end_body(x, true);
    expect_text(p, "\r\n3\r\nend\r\n0\r\n\r\n");
    assert_true(p->got.len > added * PIECE);
}

static void test_one_that_is_not_complete_is_cut(void **state) {
    (void)state;
    struct peer *p = send_from(0, WAIT);
    expect_waiting(1);
    struct http_exchange *x = begin(0);
    http_add_body(x, "one", 3);
    expect_text(p, "one\r\n");
    http_end_body(x, false);
    run_until(world.loop, peer_has_ended, p);
    assert_null(strstr(buf_string(&p->got), "0\r\n\r\n"));
    exchange();
    assert_int_equal(open_connections(), 0);
}

static void test_a_client_that_goes_away_ends_it(void **state) {
    (void)state;
    static char piece[PIECE];
    for (unsigned i = 0; i < 2; i++) {
        struct peer *p = open_unread(i + 1);
        struct http_exchange *x = begin(i);
        while (!i && http_add_body(x, piece, sizeof piece) == HTTP_ROOM) continue;
        peer_reset(p);
        if (!i)
            expect_room(1); // or its handler would wait for ever
        else
            exchange();
        exchange();
        assert_int_equal(http_add_body(x, "more", 4), HTTP_GONE);
        http_end_body(x, true);
        exchange();
        assert_int_equal(open_connections(), 0);
        peer_release(p);
    }
}

// It reads nothing for as long as an idle client may stay.
static void test_a_client_that_stalls_is_disconnected(void **state) {
    (void)state;
    static char piece[PIECE];
    open_unread(1);
    struct http_exchange *x = begin(0);
    while (http_add_body(x, piece, sizeof piece) == HTTP_ROOM) continue;
    moved_clock.now_ms += IDLE_MS + 2 * SWEEP_MS;
    expect_room(1);
    assert_int_equal(http_add_body(x, "more", 4), HTTP_GONE);
    http_end_body(x, false);
}

// However long its handler takes: to erase a user takes minutes, and may find nothing for as long.
static void test_a_client_that_waits_for_the_next_piece_stays(void **state) {
    (void)state;
    struct peer *p = send_from(0, WAIT);
    expect_waiting(1);
    struct http_exchange *x = begin(0);
    for (unsigned i = 0; i < 2; i++) {
        moved_clock.now_ms += IDLE_MS + 2 * SWEEP_MS;
        exchange();
        assert_int_equal(http_add_body(x, "one", 3), HTTP_ROOM);
        expect_text(p, "one\r\n");
        buf_clear(&p->got);
    }
    http_end_body(x, true);
    expect_text(p, "0\r\n\r\n");
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        SERVED(test_pieces_arrive_as_they_are_added),
        SERVED(test_a_client_of_http_1_0_reads_up_to_the_end),
        SERVED(test_head_has_no_pieces),
        SERVED(test_a_client_that_does_not_read_gets_no_more),
        SERVED(test_one_that_is_not_complete_is_cut),
        SERVED(test_a_client_that_goes_away_ends_it),
        SERVED(test_a_client_that_stalls_is_disconnected),
        SERVED(test_a_client_that_waits_for_the_next_piece_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
