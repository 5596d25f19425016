// Viewers that come back all at once, beside viewers that watch live, for bench/replay: two load processes,
// whose figures are printed as one JSON object.
//   replay_storm post HOST:PORT FILE VIDEOS COMMENTS SIZE
//       posts to the videos storm-1 .. storm-VIDEOS; FILE gets the position of each
//   replay_storm run HOST:PORT FILE PID LIVE CROWD RATE QUIET_S VIEWERS BACK FIRST VIDEOS [HOST:PORT]
//       LIVE viewers, whose delays are measured, CROWD viewers beside them, and RATE comments a second on
//       storm-1: for QUIET_S seconds alone, then beside VIEWERS that arrive within a fifth of a second, each
//       with a Last-Event-ID that lies BACK comments before the position of its video, one of the VIDEOS from
//       storm-FIRST on; they check the numbers. On another video than storm-1 each leaves when it has got
//       there, so that what it costs is replay alone. On storm-1 it stays, as any viewer would, and for
//       QUIET_S seconds more all watch: only with that can the storm be compared. PID is the server's, for
//       its CPU and memory. With a second server, the storm goes there: what the live viewers then feel is
//       the machine's load, not the server's.
// Only for the bench on loopback: it exits on anything unexpected.
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    DESCRIPTORS = 20000,
    EVENTS = 256,
    READ_SIZE = 256 * 1024,
    START_SIZE = 64, // of an event, where its id is
    POSTERS = 64,
    BATCH = 250, // viewers that arrive every 10 ms: the backlog of a listener holds 4096
    SAMPLES = 1 << 22,
    PATIENCE_S = 60,
    STORM_NICE = 10
};

struct place {
    uint64_t epoch, seq;
};

struct sample {
    int64_t due_us;
    uint32_t us;
};

struct samples {
    _Atomic uint32_t count;
    struct sample at[SAMPLES];
};

// Shared by the processes.
static struct shared {
    _Atomic int64_t storm_begin_us, storm_end_us; // 0: not yet
    _Atomic bool over;
    _Atomic bool live_connected, crowd_connected;
    uint32_t first_us[DESCRIPTORS], all_us[DESCRIPTORS]; // from the storm's begin, by viewer
    _Atomic uint64_t bytes;
    _Atomic uint32_t in, refused, gaps, live_gaps;
    struct samples delays, posts;
} * shared;

static struct sockaddr_in server;
static struct place *places;
static size_t place_count;

static void die(const char *what) {
    fprintf(stderr, "replay_storm: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void wait_ms(size_t ms) {
    poll(NULL, 0, (int)ms);
}

static size_t number(const char *text) {
    return strtoul(text, NULL, 10);
}

static void set_server(const char *host_port) {
    const char *colon = strrchr(host_port, ':');
    if (!colon) exit(2);
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)number(colon + 1)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

// Each from an address of its own, as a server gives every address its share.
static int connect_from(size_t client, bool nonblocking) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | (nonblocking ? SOCK_NONBLOCK : 0), 0);
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl((127u << 24) + (1u << 16) + (uint32_t)client + 1)};
    setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from)) die("socket");
    if (connect(fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) die("connect");
    return fd;
}

static void watch(int epoll, int fd, uint32_t events, void *of) {
    struct epoll_event e = {.events = events, .data.ptr = of};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) && epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &e)) die("epoll_ctl");
}

// Posting

struct poster {
    int fd;
    size_t video; // from 0; the one it is answered for
    int64_t due_us;
    bool waiting;
    size_t len;
    char answer[8192];
};

static void poster_send(struct poster *p, size_t video, const char *text, size_t size) {
    char body[4096], request[4608];
    int len =
        snprintf(body, sizeof body, "{\"userid\":\"storm\",\"videoid\":\"storm-%zu\",\"comment\":\"%s%0*d\"}",
                 video + 1, text, (int)(size - strlen(text)), 0);
    int all = snprintf(request, sizeof request,
                       "POST /comment HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                       "Content-Length: %d\r\n\r\n%s",
                       len, body);
    p->video = video;
    p->waiting = true;
    p->len = 0;
    if (send(p->fd, request, (size_t)all, MSG_NOSIGNAL) != all) die("a post");
}

// Returns whether the answer is complete, with the position that the comment got.
static bool poster_receive(struct poster *p, struct place *at) {
    ssize_t n = recv(p->fd, p->answer + p->len, sizeof p->answer - 1 - p->len, 0);
    if (n <= 0) die("an answer");
    p->len += (size_t)n;
    p->answer[p->len] = 0;
    const char *body = strstr(p->answer, "\r\n\r\n"), *id = body ? strstr(body, "\"id\":\"") : NULL;
    if (strncmp(p->answer, "HTTP/1.1 201", 12)) {
        fprintf(stderr, "%s\n", p->answer);
        exit(1);
    }
    if (!id || !strstr(body, "}}")) return false;
    sscanf(id + 6, "%" SCNu64 "-%" SCNu64, &at->epoch, &at->seq);
    p->waiting = false;
    return true;
}

// A comment of each video in turn.
static void post_all(size_t videos, size_t comments, size_t size) {
    static struct poster posters[POSTERS];
    int epoll = epoll_create1(0);
    size_t sent = 0, answered = 0, all = videos * comments;
    for (size_t i = 0; i < POSTERS && sent < all; i++) {
        posters[i].fd = connect_from(i, false);
        watch(epoll, posters[i].fd, EPOLLIN, &posters[i]);
        poster_send(&posters[i], sent++ % videos, "t=0 ", size);
    }
    while (answered < all) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct poster *p = events[i].data.ptr;
            struct place at;
            if (!poster_receive(p, &at)) continue;
            if (at.seq > places[p->video].seq) places[p->video] = at;
            answered++;
            if (sent < all) poster_send(p, sent++ % videos, "t=0 ", size);
        }
    }
}

static void places_write(const char *file) {
    FILE *f = fopen(file, "w");
    if (!f) die(file);
    for (size_t i = 0; i < place_count; i++)
        fprintf(f, "%" PRIu64 " %" PRIu64 "\n", places[i].epoch, places[i].seq);
    fclose(f);
}

static void places_read(const char *file) {
    struct place p;
    FILE *f = fopen(file, "r");
    if (!f) die(file);
    while (fscanf(f, "%" SCNu64 " %" SCNu64, &p.epoch, &p.seq) == 2) {
        places = realloc(places, (place_count + 1) * sizeof *places);
        places[place_count++] = p;
    }
    fclose(f);
}

// Streams: the head of the response, then chunks, one an event

struct stream {
    int fd;
    size_t number, video;
    enum { STREAM_CONNECTING, STREAM_HEAD, STREAM_SIZE, STREAM_EVENT } state;
    size_t left; // of the chunk, with its CR LF
    size_t len;  // of what is kept
    char start[START_SIZE];
    bool live, started, in;
    struct place at;
};

static void stream_request(struct stream *s, struct place from) {
    char request[512], id[96] = "";
    if (from.epoch)
        snprintf(id, sizeof id, "Last-Event-ID: %" PRIu64 "-%" PRIu64 "\r\n", from.epoch, from.seq);
    int len = snprintf(request, sizeof request,
                       "GET /connect?userid=u%zu&videoid=storm-%zu HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n",
                       s->number, s->video + 1, id);
    s->state = STREAM_HEAD;
    s->len = 0;
    if (send(s->fd, request, (size_t)len, MSG_NOSIGNAL) != len) die("a request");
}

static void sample_add(struct samples *all, int64_t due_us, int64_t us) {
    uint32_t n = atomic_fetch_add(&all->count, 1);
    if (n < SAMPLES) all->at[n] = (struct sample){due_us, (uint32_t)us};
}

// What follows a chunk's start is in `rest`, unless it has been cut by the read: such a delay is not counted.
static void live_take_event(const char *rest, size_t left) {
    const char *t = memmem(rest, left, "\"t=", 3);
    int64_t due_us = t ? strtoll(t + 3, NULL, 10) : 0;
    if (due_us) sample_add(&shared->delays, due_us, now_us() - due_us);
}

static void stream_take_event(struct stream *s) {
    struct place at;
    s->start[s->len] = 0;
    if (strstr(s->start, "event: gap")) {
        if (s->live)
            shared->live_gaps++;
        else
            shared->gaps++;
    }
    if (sscanf(s->start, "id: %" SCNu64 "-%" SCNu64, &at.epoch, &at.seq) != 2) return;
    if (s->started && at.epoch == s->at.epoch && at.seq != s->at.seq + 1 && !strstr(s->start, "event: gap")) {
        fprintf(stderr, "viewer %zu of storm-%zu: %" PRIu64 " after %" PRIu64 "\n", s->number, s->video + 1,
                at.seq, s->at.seq);
        exit(1);
    }
    s->started = true;
    s->at = at;
}

static bool stream_starts_event(struct stream *s, char byte) {
    s->start[s->len++] = byte;
    return s->len == START_SIZE - 1;
}

static void stream_feed(struct stream *s, const char *at, size_t len) {
    const char *end = at + len;
    while (at < end) {
        if (s->state == STREAM_HEAD) {
            s->start[s->len & 3] = *at++;
            s->len++;
            static const char want[] = "\r\n\r\n";
            bool all = s->len >= 4;
            for (size_t i = 0; all && i < 4; i++) all = s->start[(s->len + i) & 3] == want[i];
            if (all) s->state = STREAM_SIZE, s->len = 0;
        } else if (s->state == STREAM_SIZE) {
            if (stream_starts_event(s, *at)) exit(1);
            if (*at++ != '\n') continue;
            s->left = strtoul(s->start, NULL, 16) + 2;
            s->state = STREAM_EVENT;
            s->len = 0;
            if (s->live) live_take_event(at, (size_t)(end - at) < s->left ? (size_t)(end - at) : s->left);
        } else {
            size_t here = (size_t)(end - at) < s->left ? (size_t)(end - at) : s->left;
            size_t keep = START_SIZE - 1 - s->len < here ? START_SIZE - 1 - s->len : here;
            memcpy(s->start + s->len, at, keep);
            s->len += keep;
            at += here;
            s->left -= here;
            if (s->left) continue;
            stream_take_event(s);
            s->state = STREAM_SIZE;
            s->len = 0;
        }
    }
}

static char input[READ_SIZE];

// Returns whether it is still open.
static bool stream_read(struct stream *s) {
    ssize_t n = recv(s->fd, input, sizeof input, 0);
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0) return false;
    if (!s->live && !shared->storm_end_us) shared->bytes += (uint64_t)n;
    stream_feed(s, input, (size_t)n);
    return true;
}

// The viewers that watch, and the comments

static void live_post_if_due(struct poster *p, int64_t begun_us, size_t rate, size_t *posted) {
    int64_t due_us = begun_us + (int64_t)(*posted * 1000000 / rate);
    char text[32];
    if (p->waiting || now_us() < due_us) return;
    p->due_us = due_us;
    snprintf(text, sizeof text, "t=%" PRId64 " ", due_us);
    poster_send(p, 0, text, 120);
    ++*posted;
}

static void run_live(size_t count, size_t rate) {
    static struct poster poster;
    struct stream *live = calloc(count, sizeof *live);
    int epoll = epoll_create1(0);
    for (size_t i = 0; i < count; i++) {
        live[i] = (struct stream){.number = i, .live = true, .fd = connect_from(i, false)};
        stream_request(&live[i], (struct place){0});
        watch(epoll, live[i].fd, EPOLLIN, &live[i]);
    }
    poster.fd = connect_from(65000, false);
    watch(epoll, poster.fd, EPOLLIN, &poster);
    int64_t begun_us = now_us();
    size_t posted = 0;
    shared->live_connected = 1;
    while (!shared->over) {
        struct epoll_event events[EVENTS];
        live_post_if_due(&poster, begun_us, rate, &posted);
        int n = epoll_wait(epoll, events, EVENTS, 1);
        for (int i = 0; i < n; i++) {
            struct place at;
            if (events[i].data.ptr != &poster) {
                if (!stream_read(events[i].data.ptr)) die("a live viewer was cut");
            } else if (poster_receive(&poster, &at)) {
                sample_add(&shared->posts, poster.due_us, now_us() - poster.due_us);
            }
        }
    }
}

// The viewers of no delays
static void run_crowd(size_t count) {
    struct stream *crowd = calloc(count, sizeof *crowd);
    int epoll = epoll_create1(0);
    if (nice(STORM_NICE) < -20) die("nice"); // as those of the storm
    for (size_t i = 0; i < count; i++) {
        crowd[i] = (struct stream){.number = i, .live = true, .fd = connect_from(i + 8192, false)};
        stream_request(&crowd[i], (struct place){0});
        watch(epoll, crowd[i].fd, EPOLLIN, &crowd[i]);
    }
    shared->crowd_connected = true;
    while (!shared->over) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(epoll, events, EVENTS, 100);
        for (int i = 0; i < n; i++) {
            struct stream *s = events[i].data.ptr;
            if (recv(s->fd, input, sizeof input, 0) <= 0) die("a viewer of the crowd was cut");
        }
    }
}

// The viewers that come back

struct storm {
    int epoll;
    struct stream *viewers;
    size_t count, arrived, done;
    int64_t begun_us;
    bool stays;
};

static void storm_arrive(struct storm *t, size_t first, size_t videos, size_t until) {
    for (; t->arrived < until && t->arrived < t->count; t->arrived++) {
        struct stream *s = &t->viewers[t->arrived];
        *s = (struct stream){.number = t->arrived, .video = first - 1 + t->arrived % videos};
        s->fd = connect_from(t->arrived + 256, true);
        watch(t->epoll, s->fd, EPOLLOUT, s);
    }
}

static void viewer_leave(struct stream *s) {
    close(s->fd);
    s->fd = -1;
}

static void viewer_on_event(struct storm *t, struct stream *s, size_t back) {
    struct place to = places[s->video], from = {to.epoch, to.seq - back};
    if (s->state == STREAM_CONNECTING) {
        stream_request(s, from);
        watch(t->epoll, s->fd, EPOLLIN, s);
        return;
    }
    bool open = stream_read(s);
    uint32_t us = (uint32_t)(now_us() - t->begun_us);
    if (s->started && !shared->first_us[s->number]) shared->first_us[s->number] = us;
    bool was_in = s->in;
    s->in = s->started && (s->at.epoch > to.epoch || (s->at.epoch == to.epoch && s->at.seq >= to.seq));
    if (s->in && !was_in)
        shared->all_us[s->number] = us, shared->in++;
    else if (!open && !s->in)
        shared->refused++;
    if (!was_in && (s->in || !open)) t->done++;
    if (!open || (s->in && !t->stays)) viewer_leave(s);
}

static void run_storm(size_t count, size_t back, size_t first, size_t videos, const char *elsewhere) {
    if (elsewhere) set_server(elsewhere);
    // Their machines are others: they get what the server and the live viewers leave.
    if (nice(STORM_NICE) < -20) die("nice");
    struct storm t = {.epoll = epoll_create1(0),
                      .viewers = calloc(count, sizeof *t.viewers),
                      .count = count,
                      .stays = first == 1 && !elsewhere};
    while (!shared->storm_begin_us) wait_ms(1);
    t.begun_us = shared->storm_begin_us;
    while (!shared->over && (t.stays || t.done < count)) {
        struct epoll_event events[EVENTS];
        storm_arrive(&t, first, videos, (size_t)((now_us() - t.begun_us) / 10000 + 1) * BATCH);
        int n = epoll_wait(t.epoll, events, EVENTS, t.arrived < count ? 1 : 100);
        for (int i = 0; i < n; i++) viewer_on_event(&t, events[i].data.ptr, back);
        bool over = t.done == count || now_us() - t.begun_us > PATIENCE_S * INT64_C(1000000);
        if (over && !shared->storm_end_us) shared->storm_end_us = now_us();
        if (over && t.done < count) break;
    }
}

// The figures

static double server_cpu_s(const char *pid) {
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f || !fgets(line, sizeof line, f)) die(path);
    fclose(f);
    sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

// Returns the number that follows `name` in a file of /proc.
static size_t proc_number(const char *path, const char *name) {
    char line[256];
    size_t n = 0;
    FILE *f = fopen(path, "r");
    if (!f) die(path);
    while (fgets(line, sizeof line, f)) {
        const char *at = strstr(line, name);
        if (at) n = number(at + strlen(name));
    }
    fclose(f);
    return n;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_percentiles(const char *name, uint32_t *us, size_t count) {
    qsort(us, count, sizeof *us, compare);
    printf("\"%s\":{\"count\":%zu", name, count);
    static const struct {
        const char *name;
        double part;
    } shown[] = {{"p50", .5}, {"p99", .99}, {"p999", .999}, {"max", 1}};
    for (size_t i = 0; count && i < sizeof shown / sizeof *shown; i++) {
        size_t at = (size_t)((double)count * shown[i].part);
        printf(",\"%s\":%.2f", shown[i].name, us[at < count ? at : count - 1] / 1000.0);
    }
    printf("},");
}

static void print_samples(const char *name, const struct samples *all, int64_t from_us, int64_t to_us) {
    uint32_t *us = malloc(SAMPLES * sizeof *us);
    size_t count = 0, most = all->count < SAMPLES ? all->count : SAMPLES;
    for (size_t i = 0; i < most; i++)
        if (all->at[i].due_us >= from_us && all->at[i].due_us < to_us) us[count++] = all->at[i].us;
    print_percentiles(name, us, count);
    free(us);
}

static size_t without_zeros(uint32_t *us, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (us[i]) us[kept++] = us[i];
    return kept;
}

static void wait_for(const _Atomic int64_t *set, size_t *most_rss, size_t *most_tcp, const char *pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/status", pid);
    for (int64_t until = now_us() + (PATIENCE_S + 1) * INT64_C(1000000); !*set && now_us() < until;) {
        size_t rss = proc_number(path, "VmRSS:"), tcp = proc_number("/proc/net/sockstat", " mem ");
        if (rss > *most_rss) *most_rss = rss;
        if (tcp > *most_tcp) *most_tcp = tcp;
        wait_ms(20);
    }
}

static void run(char **arg) {
    const char *pid = arg[0];
    size_t live = number(arg[1]), crowd = number(arg[2]), rate = number(arg[3]), quiet_s = number(arg[4]),
           viewers = number(arg[5]), first = number(arg[7]), rss = 0, tcp = 0;
    bool stays = first == 1 && !arg[9];
    char status[64];
    if (!fork()) run_live(live, rate), exit(0);
    if (!fork()) run_storm(viewers, number(arg[6]), first, number(arg[8]), arg[9]), exit(0);
    if (!fork()) run_crowd(crowd), exit(0);
    while (!shared->live_connected || !shared->crowd_connected) wait_ms(1);
    wait_ms(500);
    snprintf(status, sizeof status, "/proc/%s/status", pid);
    size_t rss_before = proc_number(status, "VmRSS:"),
           tcp_before = proc_number("/proc/net/sockstat", " mem ");
    int64_t begun_us = now_us();
    double cpu[3] = {server_cpu_s(pid)};
    wait_ms(quiet_s * 1000);
    cpu[1] = server_cpu_s(pid);
    int64_t storm_us = now_us();
    shared->storm_begin_us = storm_us;
    wait_for(&shared->storm_end_us, &rss, &tcp, pid);
    cpu[2] = server_cpu_s(pid);
    int64_t end_us = shared->storm_end_us ? shared->storm_end_us : now_us();
    wait_ms(500); // for what is under way
    int64_t after_us = now_us();
    if (stays) wait_ms(quiet_s * 1000);
    int64_t over_us = now_us();
    wait_ms(500);
    shared->over = true;
    for (int ended; wait(&ended) > 0;)
        if (ended) exit(1); // it has said why
    printf("{");
    if (stays)
        print_samples("base_ms", &shared->delays, after_us, over_us);
    else
        print_samples("base_ms", &shared->delays, begun_us, storm_us);
    print_samples("storm_ms", &shared->delays, storm_us, end_us);
    print_samples("quiet_ms", &shared->delays, begun_us, storm_us);
    print_samples("quiet_post_ms", &shared->posts, begun_us, storm_us);
    print_samples("storm_post_ms", &shared->posts, storm_us, end_us);
    print_percentiles("first_event_ms", shared->first_us, without_zeros(shared->first_us, viewers));
    print_percentiles("in_ms", shared->all_us, without_zeros(shared->all_us, viewers));
    printf("\"in\":%u,\"refused\":%u,\"gaps\":%u,\"live_gaps\":%u,\"bytes\":%" PRIu64 ",", shared->in,
           shared->refused, shared->gaps, shared->live_gaps, shared->bytes);
    printf("\"seconds\":%.3f,\"quiet_cpu_s\":%.2f,\"storm_cpu_s\":%.2f,", (double)(end_us - storm_us) / 1e6,
           cpu[1] - cpu[0], cpu[2] - cpu[1]);
    printf("\"rss_kb\":%zu,\"rss_more_kb\":%zu,\"tcp_more_kb\":%zu}\n", rss,
           rss > rss_before ? rss - rss_before : 0, tcp > tcp_before ? (tcp - tcp_before) * 4 : 0);
}

int main(int argc, char **argv) {
    struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
    setrlimit(RLIMIT_NOFILE, &limit);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) die("memory");
    if (argc < 4) return 2;
    set_server(argv[2]);
    if (argc == 7 && !strcmp(argv[1], "post")) {
        place_count = number(argv[4]);
        places = calloc(place_count, sizeof *places);
        post_all(place_count, number(argv[5]), number(argv[6]));
        places_write(argv[3]);
    } else if ((argc == 13 || argc == 14) && !strcmp(argv[1], "run")) {
        places_read(argv[3]);
        run(argv + 4);
    } else {
        return 2;
    }
    return 0;
}
