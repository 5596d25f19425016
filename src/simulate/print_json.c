// Writes the JSON report: the same figures, with each policy reader by reader.
#include "json_figures.h"

#include <math.h>

#include "size_classes.h"
#include "simulate/simulate.h"

enum { TOP_VIDEOS = 20 };

static json_t *json_uint(uint64_t n) {
    return json_integer((json_int_t)n);
}

static json_t *video(const struct audience *a, uint32_t k) {
    char name[24];
    snprintf(name, sizeof name, "video%u", k + 1);
    return json_pack("{s:s, s:o}", "videoId", name, "viewers", json_uint(a->viewers[k]));
}

static json_t *videos(const struct audience *a, const uint32_t *list, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(array, video(a, list[i]));
    return array;
}

static json_t *buckets(const struct audience *a) {
    uint64_t counts[SIZE_CLASSES];
    size_classes_count(a, counts);
    json_t *array = json_array();
    for (size_t i = 0; i < SIZE_CLASSES; i++)
        json_array_append_new(array, json_pack("{s:s, s:o, s:f}", "viewers", size_classes[i].name, "videos",
                                               json_uint(counts[i]), "percent",
                                               (double)counts[i] / (double)a->videos * 100));
    return array;
}

static json_t *distribution(const struct audience *a) {
    size_t top = a->videos < TOP_VIDEOS ? a->videos : TOP_VIDEOS;
    return json_pack("{s:o, s:o, s:f, s:o, s:o, s:o, s:o}", "totalVideos", json_uint(a->videos),
                     "totalViewers", json_uint(a->total), "averageViewers",
                     (double)a->total / (double)a->videos, "maxViewers", json_uint(a->viewers[a->ranking[0]]),
                     "minViewers", json_uint(a->viewers[a->ranking[a->videos - 1]]), "topVideos",
                     videos(a, a->ranking, top), "buckets", buckets(a));
}

static json_t *spread(const struct spread *s) {
    return json_pack("{s:o, s:f, s:o, s:o, s:f, s:f}", "total", json_uint(s->total), "average", s->average,
                     "max", json_uint(s->max), "min", json_uint(s->min), "standardDeviation", s->deviation,
                     "balanceFactor", s->imbalance);
}

static json_t *reader_name(uint32_t number) {
    return json_sprintf("reader-%u", number);
}

static json_t *reader(const struct balance *b, size_t index) {
    return json_pack("{s:o, s:o, s:o}", "reader", reader_name(b->number[index]), "subscriptions",
                     json_uint(b->videos[index]), "viewers", json_uint(b->viewers[index]));
}

static void add_balance(json_t *object, const struct balance *b) {
    json_t *readers = json_array();
    for (size_t i = 0; i < b->readers; i++) json_array_append_new(readers, reader(b, i));
    json_object_set_new(object, "readers", readers);
    json_object_set_new(object, "subscriptions", spread(&b->of_videos));
    json_object_set_new(object, "viewers", spread(&b->of_viewers));
}

static json_t *reconnects(const struct herd *h) {
    json_t *viewers = json_array();
    for (size_t i = 0; i < HERD_STEPS; i++) json_array_append_new(viewers, json_uint(h->viewers[i]));
    return json_pack("{s:i, s:o, s:o}", "stepMs", HERD_STEP_MS, "viewers", viewers, "peakPerSecond",
                     json_uint(h->peak));
}

static json_t *loss(const struct outcome *o) {
    json_t *object = json_pack("{s:o, s:o, s:o, s:o}", "reader", reader_name(o->lost), "videosMoved",
                               json_uint(o->moved.videos), "viewersMoved", json_uint(o->moved.viewers),
                               "celebrityReader", reader_name(o->celebrity_after));
    add_balance(object, &o->after);
    json_object_set_new(object, "reconnects", reconnects(&o->herd));
    return object;
}

static json_t *evening_step(const struct evening_step *e) {
    return json_pack("{s:f, s:f, s:o, s:o}", "maxOfMean", e->most_of_mean, "hottestReaderCores", e->hottest,
                     "videosMoved", json_uint(e->videos), "viewersMoved", json_uint(e->viewers));
}

static json_t *cores(const double *of_readers, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_real(round(of_readers[i] * 1000) / 1000));
    return list;
}

static json_t *evening(const struct evening *e) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}}", "sets", json_uint(e->sets),
                     "largestSet", json_uint(e->largest_set), "placed", evening_step(&e->placed), "withSets",
                     evening_step(&e->with_sets), "rebalanced", evening_step(&e->rebalanced), "minutes",
                     json_uint(e->minutes), "readerCores", "before", cores(e->before, e->readers), "after",
                     cores(e->after, e->readers), "celebrity", cores(e->celebrity, e->readers));
}

static json_t *policy(const struct simulation *s, const struct outcome *o) {
    json_t *object = json_pack("{s:s, s:o}", "policy", policy_name(o->policy), "celebrityReader",
                               reader_name(o->celebrity)),
           *row;
    add_balance(object, &o->before);
    size_t i;
    json_array_foreach(json_object_get(object, "readers"), i, row) {
        json_object_set_new(row, "topVideos", videos(s->audience, o->top[i], outcome_top_count(o, i)));
    }
    json_object_set_new(object, "evenedOut", evening(&o->evening));
    if (o->loses) json_object_set_new(object, "readerLost", loss(o));
    return object;
}

json_t *simulation_figures(const struct simulation *s) {
    const struct simulate_config *c = s->config;
    json_t *policies = json_array();
    for (size_t i = 0; i < c->policy_count; i++) json_array_append_new(policies, policy(s, &s->outcomes[i]));
    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:f, s:f, s:o, s:o}", "videos", json_uint(c->videos),
                     "viewers", json_uint(c->viewers), "readers", json_uint(c->readers), "distribution",
                     c->distribution, "seed", json_uint(c->seed), "commentsPerSecond", c->fleet.comments,
                     "readerCores", c->fleet.cores, "audience", distribution(s->audience), "policies",
                     policies);
}

void simulation_print_json(const struct simulation *s, FILE *out) {
    json_t *document = simulation_figures(s);
    json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(FIGURE_DIGITS));
    fputc('\n', out);
    json_decref(document);
}
