// A lookup is owned by its thread until it is posted to the loop, then by the loop. A resolver that is freed
// first removes itself from the lookup under `gate`, and the lookup's owner frees it later. The gate is
// static because it has to outlive every resolver: a thread may be in getaddrinfo() for a minute.
#include "net/resolver.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/uthash.h"
#include "net/loop.h"

struct lookup {
    struct loop_job done;
    struct resolver *resolver; // under gate; NULL once the resolver is freed
    struct loop *loop;         // under gate, valid while there is a resolver
    char *host;
    int error;
    struct resolver_addresses found;
};

enum name_state { NAME_QUEUED, NAME_RESOLVING, NAME_KNOWN };

struct name {
    enum name_state state;
    struct lookup *lookup; // while looking
    int error;             // once known
    struct resolver_addresses found;
    int64_t expires_ms;
    UT_hash_handle hh;
    char host[];
};

struct resolver {
    struct loop *loop;
    void (*on_done)(void *);
    void *arg;
    struct name *names;
    unsigned looking;
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

struct resolver *resolver_new(struct loop *loop, void (*on_done)(void *arg), void *arg) {
    struct resolver *r = mem_zalloc(sizeof *r);
    *r = (struct resolver){.loop = loop, .on_done = on_done, .arg = arg};
    return r;
}

static void resolver_drop(struct resolver *r, struct name *n) {
    HASH_DEL(r->names, n);
    free(n);
}

// Returns false if lookups are pending for all names.
static bool resolver_make_room(struct resolver *r) {
    if (HASH_COUNT(r->names) < RESOLVER_NAMES) return true;
    struct name *n, *next, *first = NULL;
    HASH_ITER(hh, r->names, n, next)
        if (n->state == NAME_KNOWN && (!first || n->expires_ms < first->expires_ms)) first = n;
    if (first) resolver_drop(r, first);
    return first != NULL;
}

static struct name *resolver_add(struct resolver *r, const char *host) {
    if (!resolver_make_room(r)) return NULL;
    size_t len = strlen(host);
    struct name *n = mem_zalloc(sizeof *n + len + 1);
    memcpy(n->host, host, len + 1);
    HASH_ADD_KEYPTR(hh, r->names, n->host, len, n);
    return n;
}

static int errno_of(int gai_error, int system_error) {
    switch (gai_error) {
    case 0: return 0;
    case EAI_SYSTEM: return system_error ? -system_error : -EIO;
    case EAI_MEMORY: return -ENOMEM;
    case EAI_AGAIN: return -EAGAIN;
    default: return -EHOSTUNREACH;
    }
}

static void lookup_free(struct lookup *l) {
    free(l->host);
    free(l);
}

static void *lookup_run(void *arg) {
    struct lookup *l = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int error = getaddrinfo(l->host, NULL, &hints, &found);
    l->error = errno_of(error, errno);
    if (!error) {
        for (const struct addrinfo *i = found; i && l->found.count < RESOLVER_ADDRESSES; i = i->ai_next)
            if (i->ai_addrlen <= sizeof l->found.at[0])
                memcpy(&l->found.at[l->found.count++], i->ai_addr, i->ai_addrlen);
        freeaddrinfo(found);
        if (!l->found.count) l->error = -EHOSTUNREACH;
    }
    pthread_mutex_lock(&gate); // held while posting: the loop is only freed after its resolver
    bool orphan = !l->resolver;
    if (!orphan) loop_post(l->loop, &l->done);
    pthread_mutex_unlock(&gate);
    if (orphan) lookup_free(l);
    return NULL;
}

// Blocks all signals in the new thread, so that they go to the threads that expect them.
static int lookup_start_thread(struct lookup *l) {
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, &attributes, lookup_run, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -error;
}

static void resolver_set_known(struct resolver *r, struct name *n, int error) {
    n->state = NAME_KNOWN;
    n->error = error;
    n->expires_ms = loop_now_ms(r->loop) + (error ? RESOLVER_FAILED_MS : RESOLVER_KEEP_MS);
}

static void on_lookup_done(struct loop_job *job);

static void resolver_start_lookup(struct resolver *r, struct name *n) {
    struct lookup *l = mem_zalloc(sizeof *l);
    *l = (struct lookup){
        .done.run = on_lookup_done, .resolver = r, .loop = r->loop, .host = mem_strdup(n->host)};
    int error = lookup_start_thread(l);
    if (error) {
        lookup_free(l);
        resolver_set_known(r, n, error);
        return;
    }
    n->state = NAME_RESOLVING;
    n->lookup = l;
    r->looking++;
}

static void on_lookup_done(struct loop_job *job) {
    struct lookup *l = container_of(job, struct lookup, done);
    struct resolver *r = l->resolver; // without the gate: the lookup's thread has ended
    if (r) {
        struct name *n, *next;
        HASH_FIND_STR(r->names, l->host, n);
        assert(n); // a name is never dropped while it is looked up
        n->lookup = NULL;
        n->found = l->found;
        resolver_set_known(r, n, l->error);
        r->looking--;
        HASH_ITER(hh, r->names, n, next)
            if (n->state == NAME_QUEUED && r->looking < RESOLVER_LOOKUPS) resolver_start_lookup(r, n);
        r->on_done(r->arg);
    }
    lookup_free(l);
}

int resolver_get(struct resolver *r, const char *host, struct resolver_addresses *addresses) {
    if (address_parse(&addresses->at[0], host)) {
        addresses->count = 1;
        return 0;
    }
    struct name *n;
    HASH_FIND_STR(r->names, host, n);
    if (!n) n = resolver_add(r, host);
    if (!n) return -EBUSY;
    if (n->state == NAME_KNOWN && n->expires_ms <= loop_now_ms(r->loop)) n->state = NAME_QUEUED;
    if (n->state == NAME_QUEUED && r->looking < RESOLVER_LOOKUPS) resolver_start_lookup(r, n);
    if (n->state != NAME_KNOWN) return -EINPROGRESS;
    *addresses = n->found;
    return n->error;
}

void resolver_forget(struct resolver *r, const char *host) {
    struct name *n;
    HASH_FIND_STR(r->names, host, n);
    if (n && n->state == NAME_KNOWN) resolver_drop(r, n);
}

void resolver_free(struct resolver *r) {
    struct name *n, *next;
    pthread_mutex_lock(&gate);
    HASH_ITER(hh, r->names, n, next)
        if (n->lookup) n->lookup->resolver = NULL;
    pthread_mutex_unlock(&gate);
    HASH_ITER(hh, r->names, n, next) resolver_drop(r, n);
    free(r);
}
