// Writes the text report. One policy is shown reader by reader, several are shown side by side.
#include <inttypes.h>

#include "grouped.h"
#include "size_classes.h"
#include "simulate/simulate.h"

enum { TOP_VIDEOS = 20 };

static double percent(uint64_t part, uint64_t whole) {
    return whole ? (double)part / (double)whole * 100 : 0;
}

static void print_head(const struct simulation *s, FILE *out) {
    const struct simulate_config *c = s->config;
    fprintf(out, "Simulation: %s videos, %s viewers, %s readers; distribution %s, seed %" PRIu64 "\n\n",
            grouped(c->videos).text, grouped(c->viewers).text, grouped(c->readers).text, c->distribution,
            c->seed);
}

static void print_video(const struct audience *a, size_t place, uint32_t video, FILE *out) {
    char name[24];
    snprintf(name, sizeof name, "video%u", video + 1);
    fprintf(out, "  %2zu. %-14s %10s\n", place, name, grouped(a->viewers[video]).text);
}

static void print_audience(const struct audience *a, FILE *out) {
    uint64_t max = a->viewers[a->ranking[0]], min = a->viewers[a->ranking[a->videos - 1]];
    fprintf(out, "Viewers per video\n");
    fprintf(out, "  total videos         %12s\n", grouped(a->videos).text);
    fprintf(out, "  total viewers        %12s\n", grouped(a->total).text);
    fprintf(out, "  average per video    %12.2f\n", (double)a->total / (double)a->videos);
    fprintf(out, "  max                  %12s\n", grouped(max).text);
    fprintf(out, "  min                  %12s\n\n", grouped(min).text);
    fprintf(out, "Top %d videos by viewers\n", TOP_VIDEOS);
    for (size_t i = 0; i < TOP_VIDEOS && i < a->videos; i++) print_video(a, i + 1, a->ranking[i], out);
}

static void print_size_classes(const struct audience *a, FILE *out) {
    uint64_t videos[SIZE_CLASSES];
    size_classes_count(a, videos);
    fprintf(out, "\nVideos by number of viewers\n");
    for (size_t i = 0; i < SIZE_CLASSES; i++)
        if (i || videos[i])
            fprintf(out, "  %-14s %10s %9.2f %%\n", size_classes[i].name, grouped(videos[i]).text,
                    percent(videos[i], a->videos));
}

static void print_share(uint64_t videos, uint64_t viewers, const struct audience *a, FILE *out) {
    fprintf(out, "%s videos (%.2f %%), %s viewers (%.2f %%)", grouped(videos).text,
            percent(videos, a->videos), grouped(viewers).text, percent(viewers, a->total));
}

static void print_reader(const struct audience *a, const struct balance *b, size_t index, FILE *out) {
    fprintf(out, "reader-%u: ", b->number[index]);
    print_share(b->videos[index], b->viewers[index], a, out);
    fputc('\n', out);
}

static void print_reader_table(const struct audience *a, const struct outcome *o, FILE *out) {
    fprintf(out, "\nVideos and viewers of each reader (policy %s), with its top %d videos\n",
            policy_name(o->policy), OUTCOME_TOP);
    for (size_t r = 0; r < o->before.readers; r++) {
        print_reader(a, &o->before, r, out);
        size_t count = outcome_top_count(o, r);
        for (size_t i = 0; i < count; i++) print_video(a, i + 1, o->top[r][i], out);
    }
}

static void print_spread(const char *what, const struct spread *s, FILE *out) {
    fprintf(out, "  %-14s %10s %12.2f %10s %10s %12.2f  %12.2f %%\n", what, grouped(s->total).text,
            s->average, grouped(s->max).text, grouped(s->min).text, s->deviation, s->imbalance);
}

static void print_balance(const char *title, const struct balance *b, FILE *out) {
    fprintf(out, "\n%s, per reader (%zu)\n", title, b->readers);
    fprintf(out, "  %-14s %10s %12s %10s %10s %12s  %14s\n", "", "total", "average", "max", "min", "std dev",
            "imbalance");
    print_spread("subscriptions", &b->of_videos, out);
    print_spread("viewers", &b->of_viewers, out);
}

static void print_loss(const struct simulation *s, const struct outcome *o, FILE *out) {
    fprintf(out, "\nreader-%u fails: ", o->lost);
    print_share(o->moved.videos, o->moved.viewers, s->audience, out);
    fprintf(out, " move to the other readers\n");
    for (size_t r = 0; r < o->after.readers; r++) print_reader(s->audience, &o->after, r, out);
    print_balance("Balance afterwards", &o->after, out);
}

static void print_row(const struct outcome *o, const struct balance *b, FILE *out) {
    const struct spread *videos = &b->of_videos, *viewers = &b->of_viewers;
    fprintf(out, "  %-14s %10s %10s %10.2f  %12.2f %%    %10s %10s %10.2f  %12.2f %%\n",
            policy_name(o->policy), grouped(videos->max).text, grouped(videos->min).text, videos->deviation,
            videos->imbalance, grouped(viewers->max).text, grouped(viewers->min).text, viewers->deviation,
            viewers->imbalance);
}

static void print_columns(FILE *out) {
    fprintf(out, "  %-14s %-47s    %s\n", "", "    videos of a reader", "    viewers of a reader");
    fprintf(out, "  %-14s", "policy");
    for (int i = 0; i < 2; i++)
        fprintf(out, "%s %10s %10s %10s  %14s", i ? "   " : "", "max", "min", "std dev", "imbalance");
    fputc('\n', out);
}

static void print_side_by_side(const struct simulation *s, FILE *out) {
    const struct simulate_config *c = s->config;
    fprintf(out, "\nPolicies side by side, %zu readers\n", c->readers);
    print_columns(out);
    for (size_t i = 0; i < c->policy_count; i++) print_row(&s->outcomes[i], &s->outcomes[i].before, out);
    if (!c->lose) return;
    if (c->lose == OUTCOME_LOSE_BUSIEST)
        fprintf(out, "\nThe busiest reader fails; its videos move to the other readers\n");
    else
        fprintf(out, "\nreader-%zu fails; its videos move to the other readers\n", c->lose);
    for (size_t i = 0; i < c->policy_count; i++) {
        fprintf(out, "  %-14s ", policy_name(s->outcomes[i].policy));
        if (c->lose == OUTCOME_LOSE_BUSIEST) fprintf(out, "reader-%u: ", s->outcomes[i].lost);
        print_share(s->outcomes[i].moved.videos, s->outcomes[i].moved.viewers, s->audience, out);
        fputc('\n', out);
    }
    fprintf(out, "\nAfterwards, %zu readers\n", c->readers - 1);
    print_columns(out);
    for (size_t i = 0; i < c->policy_count; i++) print_row(&s->outcomes[i], &s->outcomes[i].after, out);
}

static void print_evening(const struct outcome *o, FILE *out) {
    const struct evening *e = &o->evening;
    fprintf(out, "  %-14s %8.2f %9.2f   %6zu %8.2f %9.2f %10s   %8.2f %9.2f %8s %10s %8s\n",
            policy_name(o->policy), e->placed.most_of_mean, e->placed.hottest, e->sets,
            e->with_sets.most_of_mean, e->with_sets.hottest, grouped(e->with_sets.viewers).text,
            e->rebalanced.most_of_mean, e->rebalanced.hottest, grouped(e->rebalanced.videos).text,
            grouped(e->rebalanced.viewers).text, grouped(e->minutes).text);
}

static void print_evenings(const struct simulation *s, FILE *out) {
    const struct evening_fleet *f = &s->config->fleet;
    fprintf(out,
            "\nHot videos on sets of readers, and rebalancing: %s readers of %g cores, %.4g comments/s\n",
            grouped(s->config->readers).text, f->cores, f->comments);
    fprintf(out, "  %-14s %18s   %36s   %47s\n", "", "one reader each", "with sets", "rebalanced");
    fprintf(out, "  %-14s %8s %9s   %6s %8s %9s %10s   %8s %9s %8s %10s %8s\n", "policy", "max/mean",
            "hottest", "sets", "max/mean", "hottest", "moved", "max/mean", "hottest", "videos", "moved",
            "minutes");
    for (size_t i = 0; i < s->config->policy_count; i++) print_evening(&s->outcomes[i], out);
    fprintf(
        out,
        "  max/mean: viewers; hottest: cores that the reader with the most load needs; moved: viewers that "
        "reconnect\n");
}

void simulation_print(const struct simulation *s, FILE *out) {
    print_head(s, out);
    print_audience(s->audience, out);
    print_size_classes(s->audience, out);
    if (s->config->policy_count > 1) {
        print_side_by_side(s, out);
        print_evenings(s, out);
        return;
    }
    const struct outcome *o = &s->outcomes[0];
    print_reader_table(s->audience, o, out);
    print_balance("Balance", &o->before, out);
    if (o->loses) print_loss(s, o, out);
    print_evenings(s, out);
}
