// Production's own simulated client (clients/client_viewer.h) as a viewer.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "clients/client_viewer.h"
#include "clients/event_parser.h"
#include "clients/stamps.h"
#include "clients/tally.h"
#include "http/client.h"
#include "net/resolver.h"
#include "viewer.h"

struct viewer_client {
    struct client_viewer_env env; // first: callbacks receive its address
    struct client_viewer client;
    struct viewer *viewer;
    struct prng prng;
    struct tally tally;
    struct stamps *stamps;
    char user[32], video[32], url[VIEWER_URL];
    bool streaming;
};

static void client_note_end(struct viewer_client *c) {
    if (c->streaming) viewer_note_cut(c->viewer, "cut");
    c->streaming = false;
}

static void client_wants_connection(struct client_viewer_env *env, struct client_viewer *client) {
    struct viewer_client *c = (struct viewer_client *)env;
    client_note_end(c);
    viewer_note_ask(c->viewer);
    client_viewer_connect(client);
}

static void client_attempt_over(struct client_viewer_env *env, struct client_viewer *client) {
    struct viewer_client *c = (struct viewer_client *)env;
    c->streaming = client->state == CLIENT_VIEWER_STREAMING;
    if (client->state == CLIENT_VIEWER_OVER)
        viewer_take_over(c->viewer);
    else if (!c->streaming)
        viewer_note_cut(c->viewer, "failed");
}

static void client_event(struct client_viewer_env *env, const struct event_parsed *e) {
    struct viewer_client *c = (struct viewer_client *)env;
    viewer_take_event(c->viewer, e->has_id ? e->id : "", e->type, e->data ? e->data : "", e->data_len);
}

static void client_calls(struct client_viewer_env *env, int change) {
    (void)env, (void)change;
}

static void client_resolved(void *arg) {
    client_viewer_resolved(&((struct viewer_client *)arg)->client);
}

struct viewer_client *viewer_client_new(struct viewer *v) {
    struct viewer_client *c = mem_zalloc(sizeof *c);
    struct crowd *crowd = v->crowd;
    c->viewer = v;
    c->stamps = stamps_new(1);
    c->prng.state = crowd_random(crowd, UINT64_MAX);
    snprintf(c->user, sizeof c->user, "viewer%u", (unsigned)v->number);
    snprintf(c->video, sizeof c->video, "%s", crowd_video(v->video));
    snprintf(c->url, sizeof c->url, "%s/register", crowd_api(crowd));
    c->env = (struct client_viewer_env){.loop = crowd->loop,
                                        .client = http_client_new(crowd->loop),
                                        .resolver = resolver_new(crowd->loop, client_resolved, c),
                                        .register_url = c->url,
                                        .prng = &c->prng,
                                        .tally = &c->tally,
                                        .stamps = c->stamps,
                                        .expects_outages = true,
                                        .read_buffer = mem_alloc(CLIENT_VIEWER_READ_SIZE),
                                        .user_name = c->user,
                                        .video_name = c->video,
                                        .on_event = client_event,
                                        .on_wants_connection = client_wants_connection,
                                        .on_attempt_over = client_attempt_over,
                                        .on_calls = client_calls};
    client_viewer_init(&c->client, &c->env, v->number, v->video);
    client_wants_connection(&c->env, &c->client);
    return c;
}

void viewer_client_free(struct viewer_client *c) {
    c->env.closing = true;
    client_viewer_release(&c->client);
    http_client_free(c->env.client);
    resolver_free(c->env.resolver);
    origins_release(&c->env.origins);
    stamps_free(c->stamps);
    free(c->env.read_buffer);
    free(c);
}
