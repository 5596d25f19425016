// Histories made by hand: each right one is accepted, each broken one refused with the finding for it.
#include "unit.h"

#include "base/buf.h"
#include "judge/checker.h"
#include "judge/journal.h"

struct history {
    const char *name;
    const char *finding; // NULL: right
    const char *text;
};

// Writer 1 posts three comments to video 1, which viewer 1 follows.
#define POSTS                                                                                                \
    "1 post w1 v1 n1 keyed p1\n"                                                                             \
    "1.1 stored w1 n1 7-1 p1\n"                                                                              \
    "2 post w1 v1 n2 keyed p1\n"                                                                             \
    "2.1 stored w1 n2 7-2 p1\n"                                                                              \
    "3 post w1 v1 n3 once p2\n"                                                                              \
    "3.1 stored w1 n3 7-3 p2\n"
#define JOINS "0 join w1 v1 fetch 0 follows\n0 ask w1 -\n0.1 begin w1 7-0 reader-1\n"
#define SEES                                                                                                 \
    "4 comment w1 7-1 p1 n1\n"                                                                               \
    "4 comment w1 7-2 p1 n2\n"                                                                               \
    "4 comment w1 7-3 p1 n3\n"
// Viewer 1 comes back behind a tombstone, which viewer 2 has seen.
#define COMES_BACK_BEHIND_A_TOMBSTONE                                                                        \
    JOINS "0 join w2 v1 fetch 0 follows\n0 ask w2 -\n0.1 begin w2 7-0 reader-1\n0.2 cut w1 -\n" POSTS        \
          "4 comment w2 7-1 p1 n1\n4 comment w2 7-2 p1 n2\n4 comment w2 7-3 p1 n3\n"                         \
          "4.5 lost v1 7-9 7-9\n5 gap w2 7-4 9-1 null epoch\n"                                               \
          "5.5 post w1 v1 n4 once p1\n5.6 stored w1 n4 9-2 p1\n5.7 comment w2 9-2 p1 n4\n"                   \
          "6 ask w1 7-0\n6.1 begin w1 7-0 r\n6.1 gap w1 7-1 9-1 null epoch\n6.2 comment w1 9-2 p1 n4\n"
#define CALM "5 calm\n6 post w1 v1 n4 keyed p1\n6.1 stored w1 n4 7-4 p1\n6.2 comment w1 7-4 p1 n4\n"

// Video 1 is at reader 1, then at readers 1 and 2.
#define SETS "0 most 10\n0 placed v1 p1 n0 0\n5 calm\n10 placed v1 p1 n12 1\n"
#define COMES(at, reader)                                                                                    \
    at " join w1 v1 fetch 0 follows\n" at " ask w1 -\n" at " begin w1 7-0 reader-" reader "\n"

static const struct history histories[] = {
    {"nothing", NULL, ""},
    {"all is seen", NULL, JOINS POSTS SEES CALM "36 end\n"},
    {"a repeat has the same number", NULL,
     JOINS
     "1 post w1 v1 n1 keyed p1\n1.1 unknown w1 n1 p1\n1.2 post w1 v1 n1 keyed p2\n1.3 stored w1 n1 7-1 p2\n"
     "1.4 comment w1 7-1 p1 n1\n"},
    {"an unknown outcome is seen once", NULL,
     JOINS "1 post w1 v1 n1 once p1\n1.1 unknown w1 n1 p1\n1.4 comment w1 7-1 p1 n1\n"},
    {"an unknown outcome is never seen", NULL,
     JOINS "1 post w1 v1 n1 once p1\n1.1 unknown w1 n1 p1\n2 post w1 v1 n2 once p1\n2 stored w1 n2 7-1 p1\n"
           "2.4 comment w1 7-1 p1 n2\n"},
    {"a new epoch goes on without notice", NULL,
     JOINS POSTS SEES "5 post w1 v1 n4 once p1\n5.1 stored w1 n4 9-1 p1\n5.2 comment w1 9-1 p1 n4\n"},
    {"a resume brings what was missed", NULL,
     JOINS POSTS "1.2 comment w1 7-1 p1 n1\n1.3 cut w1 reset\n4 ask w1 7-1\n4.1 begin w1 7-1 reader-2\n"
                 "4.2 comment w1 7-2 p1 n2\n4.2 comment w1 7-3 p1 n3\n"},
    {"a newcomer begins where it begins", NULL,
     POSTS "4 join w1 v1 fetch 0 follows\n4 ask w1 -\n4.1 begin w1 7-2 r\n4.2 comment w1 7-3 p1 n3\n"},
    {"a slow viewer gets a gap", NULL,
     "0 join w1 v1 fetch 1 follows\n0 ask w1 -\n0 begin w1 7-0 r\n" POSTS
     "4 gap w1 7-1 7-2 2 slow\n4 comment w1 7-3 p1 n3\n"},
    {"comments that have expired are announced", NULL,
     "0 kept 1\n" JOINS POSTS "0.2 cut w1 -\n4 ask w1 7-0\n4.1 begin w1 7-0 r\n4.1 gap w1 7-1 7-2 2 expired\n"
     "4.2 comment w1 7-3 p1 n3\n"},
    {"what the reader has, and nobody has seen, makes room for itself in the log, too", NULL,
     "0 kept 2\n" JOINS
     "0.2 cut w1 -\n1 post w1 v1 n1 keyed p1\n1.1 stored w1 n1 7-1 p1\n2 post w1 v1 n2 keyed p1\n"
     "2.1 stored w1 n2 7-2 p1\n3 post w1 v1 n3 once p2\n3.5 ask w1 7-0\n3.6 begin w1 7-0 r\n3.6 newest w1 7-3\n"
     "3.6 gap w1 7-1 7-1 1 expired\n3.65 comment w1 7-2 p1 n2\n3.65 comment w1 7-3 p1 n3\n3.7 stored w1 n3 7-3 p2\n"},
    {"what the log has, and no reader yet, makes room for itself, too", NULL,
     "0 kept 1\n" JOINS POSTS
     "0.2 cut w1 -\n4 post w1 v1 n4 once p1\n4 ask w1 7-0\n4.1 begin w1 7-0 r\n4.1 newest w1 7-3\n"
     "4.1 gap w1 7-1 7-3 3 expired\n4.2 stored w1 n4 7-4 p1\n4.3 comment w1 7-4 p1 n4\n"},
    {"all is counted", NULL,
     JOINS POSTS SEES "5 calm\n35 count v0\n35 total 3\n35 count v1\n35 ledger v1 n0 keyed\n36 end\n"},
    {"a stream ends as its reader does", NULL,
     JOINS POSTS SEES "4.1 fault kill_manager-1\n4.1 fault kill_reader-1\n4.2 cut w1 cut\n"},
    {"a viewer closes its stream while there is no manager", NULL,
     JOINS POSTS SEES "4.1 fault kill_manager-1\n4.2 cut w1 own\n"},
    {"a tombstone takes a place in the log", NULL, "0 kept 2\n" COMES_BACK_BEHIND_A_TOMBSTONE},
    {"a loss is announced", NULL,
     JOINS POSTS SEES "5 lost v1 7-2 7-3\n6 gap w1 7-4 9-1 null epoch\n"
                      "7 post w1 v1 n4 once p1\n7 stored w1 n4 9-2 p1\n7 comment w1 9-2 p1 n4\n"},
    {"a loss is announced to a viewer that has not seen what was lost", NULL,
     JOINS POSTS "5 lost v1 7-1 7-3\n6 gap w1 7-1 9-1 null epoch\n"},
    {"the store goes back", NULL, JOINS POSTS SEES "5 lost v1 7-2 7-3\n6 gap w1 7-4 7-1 null epoch\n"},
    {"who comes back from a lost epoch may miss what was appended below it", NULL,
     JOINS "1 post w1 v1 n1 keyed p1\n1.1 stored w1 n1 7-1 p1\n1.2 comment w1 7-1 p1 n1\n"
           "2 post w1 v1 n2 keyed p1\n2.1 stored w1 n2 9-1 p1\n2.2 comment w1 9-1 p1 n2\n2.3 cut w1 -\n"
           "3 lost v1 9-1 9-1\n4 post w1 v1 n3 keyed p1\n4.1 stored w1 n3 8-1 p1\n5 ask w1 9-1\n"
           "5.1 begin w1 9-1 reader-1\n5.1 gap w1 7-2 10-1 null epoch\n"},
    {"a reader that is not back yet misses what is appended below a lost epoch", NULL,
     JOINS "1 post w1 v1 n1 keyed p1\n1.1 stored w1 n1 7-1 p1\n1.2 comment w1 7-1 p1 n1\n"
           "2 post w1 v1 n2 keyed p1\n2.1 stored w1 n2 9-1 p1\n2.2 comment w1 9-1 p1 n2\n"
           "3 lost v1 9-1 9-1\n4 post w1 v1 n3 keyed p1\n4.1 stored w1 n3 8-1 p1\n"
           "5.1 gap w1 7-2 10-1 null epoch\n"},
    {"after two servers side by side, what one of them took may come again", NULL,
     JOINS "0.5 fault store-split\n" POSTS SEES "5 lost v1 7-2 7-3\n6 gap w1 7-4 7-1 null epoch\n"
           "60 comment w1 7-2 p1 n2\n"},
    {"a reader that cannot ask the store may give what is lost again", NULL,
     JOINS POSTS SEES "5 lost v1 7-2 7-3\n6 gap w1 7-4 7-1 null epoch\n6 cut w1 -\n7 ask w1 7-1\n"
                      "7 begin w1 7-1 reader-2\n7 comment w1 7-2 p1 n2\n"},
    {"a comment with a key is stored again after the store lost it", NULL,
     JOINS
     "1 post w1 v1 n1 keyed p1\n2 comment w1 7-1 p1 n1\n3 lost v1 7-1 7-1\n3 gap w1 7-2 9-1 null epoch\n"
     "4 post w1 v1 n1 keyed p1\n4 stored w1 n1 9-2 p1\n4 comment w1 9-2 p1 n1\n"},
    {"who joins after a loss need not know of it", NULL,
     POSTS "4 lost v1 7-2 7-3\n5 join w1 v1 fetch 0 follows\n5 ask w1 -\n5 begin w1 7-1 r\n"
           "6 post w1 v1 n4 once p1\n6 stored w1 n4 9-1 p1\n6 comment w1 9-1 p1 n4\n"},
    {"comment APIs that end while the store is away need not tell of a loss", NULL,
     JOINS POSTS
     "4 comment w1 7-1 p1 n1\n4 fault kill_comment-2\n4 fault kill_comment-3\n5 lost v1 7-2 7-3\n6 post w1 v1 n4 once p1\n"
     "6 stored w1 n4 9-1 p1\n6 comment w1 9-1 p1 n4\n"},
    {"a loss cannot be announced when all that knew of it have ended", NULL,
     JOINS "1 post w1 v1 n1 once p0\n1.1 stored w1 n1 7-1 p0\n1.3 fault kill_comment-1\n2 lost v1 7-1 7-1\n"
           "5 post w1 v1 n4 once p1\n5 stored w1 n4 9-1 p1\n5 comment w1 9-1 p1 n4\n"},
    {"a process that ended with the loss knew of a comment that was still in flight", NULL,
     JOINS "0 join w2 v1 fetch 0 follows\n0 ask w2 -\n0.1 begin w2 7-0 reader-1\n"
           "1 post w1 v1 n1 once p0\n1.1 stored w1 n1 7-1 p0\n2 fault power_up\n2 lost v1 7-1 7-1\n"
           "2.1 comment w2 7-1 p1 n1\n"
           "5 post w1 v1 n4 once p1\n5 stored w1 n4 9-1 p1\n5 comment w1 9-1 p1 n4\n"},
    {"a reader that ended before a loss knew of a comment that is seen before it, still in flight", NULL,
     JOINS "0 join w2 v1 fetch 0 follows\n0 ask w2 -\n0.1 begin w2 7-0 reader-2\n"
           "1 post w1 v1 n1 once p0\n1.1 stored w1 n1 7-1 p0\n1.3 fault kill_comment-1\n"
           "1.3 fault kill_reader-2\n1.5 comment w2 7-1 p1 n1\n2 lost v1 7-1 7-1\n"
           "5 post w1 v1 n4 once p1\n5 stored w1 n4 9-1 p1\n5 comment w1 9-1 p1 n4\n"},
    {"who leaves is owed nothing", NULL,
     JOINS POSTS "1.2 comment w1 7-1 p1 n1\n1.3 leave w1\n"
                 "5 calm\n36 end\n"},
    {"who has left is not owed what is appended below it later", NULL,
     JOINS "1 post w1 v1 n1 keyed p1\n1.1 stored w1 n1 9-1 p1\n1.2 comment w1 9-1 p1 n1\n1.3 leave w1\n"
           "2 lost v1 9-1 9-1\n3 post w1 v1 n2 keyed p1\n3.1 stored w1 n2 8-1 p1\n5 calm\n36 end\n"},
    {"nor what was appended below it just before", NULL,
     JOINS "1 post w1 v1 n1 keyed p1\n1.1 stored w1 n1 9-1 p1\n1.2 comment w1 9-1 p1 n1\n2 lost v1 9-1 9-1\n"
           "3 post w1 v1 n2 keyed p1\n3.1 stored w1 n2 8-1 p1\n3.2 leave w1\n5 calm\n36 end\n"},
    {"who has stalled is owed nothing", NULL,
     "0 join w1 v1 fetch 2 follows\n0 ask w1 -\n0 begin w1 7-0 r\n" POSTS "5 calm\n36 end\n"},
    {"a stream stays when its video is placed elsewhere", NULL,
     JOINS "5 calm\n21 join w2 v1 fetch 0 follows\n21 ask w2 -\n21 begin w2 7-0 reader-2\n36 end\n"},
    {"what is deleted leaves its number", NULL,
     JOINS POSTS
     "3.5 act w1 v1 retract 7-2 n0 0\n3.6 done w1 done\n3.7 look w1 v1 7-2 n1\n3.8 listed w1 absent\n"
     "4 comment w1 7-1 p1 n1\n4 passed w1 7-2\n4 comment w1 7-3 p1 n3\n4 entry w1 v1 7-4 retract 7-2 p0\n"},
    {"a text comes back with a store that lost the deletion", NULL,
     POSTS "3.5 act w1 v1 retract 7-2 n0 0\n3.6 done w1 done\n3.65 lost v1 7-4 7-4\n3.7 look w1 v1 7-2 n1\n"
           "3.8 listed w1 shown\n"},
    {"a sample is shown", NULL,
     JOINS "0.5 act w1 v1 rate - n0 1\n0.6 done w1 done\n" POSTS "4 more w1 2\n4 comment w1 7-3 p1 n3\n"},
    {"a banned user is refused", NULL,
     "1 act w1 v1 ban - n1 0\n1.1 done w1 done\n2 post w1 v1 n1 once p1\n2.1 refused w1 n1 p1 banned\n"},
    {"a post that was there before the ban's answer", NULL,
     "1 act w1 v1 ban - n1 0\n1.05 post w1 v1 n1 once p1\n1.1 done w1 done\n2.1 stored w1 n1 7-1 p1\n"},
    {"a video ends", NULL,
     JOINS POSTS SEES
     "5 act w1 v1 end - n0 0\n5.1 done w1 done\n5.2 entry w1 v1 7-4 end - p0\n5.3 cut w1 end\n"
     "6 ask w1 7-4\n6.1 denied w1 204\n6.2 leave w1\n"},

    {"a listing has what was deleted", "retracted",
     POSTS "3.5 act w1 v1 retract 7-2 n0 0\n3.6 done w1 done\n3.7 look w1 v1 7-2 n1\n3.8 listed w1 shown\n"},
    {"a listing has what was purged", "retracted",
     POSTS "3.5 act w1 v1 purge - n1 0\n3.6 done w1 done\n3.7 look w1 v1 7-2 n1\n3.8 listed w1 shown\n"},
    {"a resume has what its reader knows to be deleted", "retracted",
     JOINS "0.2 cut w1 -\n" POSTS "3.5 act w1 v1 retract 7-2 n0 0\n3.6 done w1 done\n4 ask w1 7-0\n"
           "4 begin w1 7-0 reader-1\n4 newest w1 7-4\n4 comment w1 7-1 p1 n1\n4 comment w1 7-2 p1 n2\n"
           "4 comment w1 7-3 p1 n3\n4 entry w1 v1 7-4 retract 7-2 p0\n"},
    {"who has the text is not told", "retracted",
     JOINS POSTS SEES "4.1 act w1 v1 retract 7-2 n0 0\n4.2 done w1 done\n" CALM "36 end\n"},
    {"a retraction is missed", "hole",
     JOINS
     "0 join w2 v1 fetch 0 follows\n0 ask w2 -\n0.1 begin w2 7-0 reader-1\n" POSTS SEES
     "4.1 act w1 v1 retract 7-2 n0 0\n4.2 done w1 done\n4.3 entry w1 v1 7-4 retract 7-2 p0\n"
     "4.4 comment w2 7-1 p1 n1\n4.4 passed w2 7-2\n4.4 comment w2 7-3 p1 n3\n"
     "5 post w1 v1 n4 once p1\n5 stored w1 n4 7-5 p1\n5 comment w1 7-5 p1 n4\n5 comment w2 7-5 p1 n4\n"},
    {"a number without a text that nobody deleted", "hole",
     JOINS POSTS "4 comment w1 7-1 p1 n1\n4 passed w1 7-2\n"},
    {"an entry that nobody asked for", "stranger", JOINS "4 entry w1 v1 7-1 end - p0\n"},
    {"more than was said is left out", "hole",
     JOINS "0.5 act w1 v1 rate - n0 1\n0.6 done w1 done\n" POSTS "4 more w1 1\n4 comment w1 7-3 p1 n3\n"},
    {"a sample without a rate", "sampled", JOINS POSTS "4 more w1 2\n4 comment w1 7-3 p1 n3\n"},
    {"a banned user is accepted", "not-refused",
     "1 act w1 v1 ban - n1 0\n1.1 done w1 done\n2 post w1 v1 n1 once p1\n2.1 stored w1 n1 7-1 p1\n"},
    {"a frozen room accepts", "not-refused",
     "1 act w1 v1 freeze - n0 0\n1.1 done w1 done\n2 post w1 v1 n1 once p1\n2.1 stored w1 n1 7-1 p1\n"},
    {"a video that has ended accepts", "not-refused",
     "1 act w1 v1 end - n0 0\n1.1 done w1 done\n2 post w1 v1 n1 once p1\n2.1 stored w1 n1 7-1 p1\n"},
    {"refused as banned, and is not", "refused", "2 post w1 v1 n1 once p1\n2.1 refused w1 n1 p1 banned\n"},
    {"refused long after the ban was lifted", "refused",
     "1 act w1 v1 ban - n1 0\n1.1 done w1 done\n1.2 act w1 v1 lift - n1 0\n1.3 done w1 done\n"
     "2 post w1 v1 n1 once p1\n2.1 refused w1 n1 p1 banned\n"},
    {"who is behind may see an end that a start has followed, and comes back", NULL,
     JOINS
     "0.5 act w1 v1 end - n0 0\n0.6 done w1 done\n0.7 act w1 v1 start - n0 0\n0.8 done w1 done\n"
     "1 post w1 v1 n1 once p1\n1.1 stored w1 n1 7-3 p1\n2 act w1 v1 end - n0 0\n2.1 done w1 done\n"
     "3 entry w1 v1 7-1 end - p0\n3 cut w1 end\n4 ask w1 7-1\n4.1 begin w1 7-1 reader-1\n"
     "4.1 entry w1 v1 7-2 start - p0\n4.1 comment w1 7-3 p1 n1\n4.1 entry w1 v1 7-4 end - p0\n4.1 cut w1 end\n"},
    {"a stream that began in flight came from a reader that has ended", NULL,
     JOINS "0 join w2 v1 fetch 0 follows\n0.5 ask w2 -\n"
           "1 post w1 v1 n1 once p0\n1.1 stored w1 n1 7-1 p0\n2 fault power_up\n2 lost v1 7-1 7-1\n"
           "2.1 begin w2 7-0 reader-1\n2.1 comment w2 7-1 p1 n1\n"
           "5 post w1 v1 n4 once p1\n5 stored w1 n4 9-1 p1\n5 comment w1 9-1 p1 n4\n"},
    {"moderators do all they can", NULL,
     JOINS
     "0 wants w1 room\n0.2 room w1 n0 -\n0.5 act w1 v1 timeout - n1 3\n0.6 done w1 done\n"
     "1 post w1 v1 n1 once p1\n1.1 refused w1 n1 p1 banned\n"
     "4 post w1 v1 n2 once p1\n4.1 stored w1 n2 7-1 p1\n4.1 comment w1 7-1 p1 n2\n"
     "5 act w1 v1 shadow - n1 0\n5.1 done w1 done\n6 post w1 v1 n3 once p1\n6.1 hidden w1 n3 p1\n"
     "6.2 act w1 v1 lift - n1 0\n6.3 done w1 done\n6.4 act w1 v1 hold - n0 0\n6.5 done w1 done\n"
     "7 post w1 v1 n4 once p1\n7.1 waits w1 n4 p1\n7.2 post w1 v1 n5 once p1\n7.3 waits w1 n5 p1\n"
     "7.4 act w1 v1 pass - n0 0\n7.5 done w1 done\n7.6 act w1 v1 allow - n1 4\n7.7 allowed w1 n4 7-2 p1\n"
     "7.7 done w1 done\n7.8 comment w1 7-2 p1 n4\n7.9 act w1 v1 deny - n1 5\n8 done w1 done\n"
     "8.1 react w1 v1\n8.2 reacted w1 1\n9 calm\n40 end\n"},
    {"a comment behind the end", "not-refused",
     JOINS "0.5 act w1 v1 end - n0 0\n0.5 post w1 v1 n1 once p1\n0.6 done w1 done\n0.7 stored w1 n1 7-2 p1\n"
           "1 entry w1 v1 7-1 end - p0\n1 comment w1 7-2 p1 n1\n"},
    {"a comment behind the purge of its writer", "not-refused",
     JOINS
     "0.5 act w1 v1 purge - n1 0\n0.5 post w1 v1 n1 once p1\n0.6 done w1 done\n0.7 stored w1 n1 7-2 p1\n"
     "1 entry w1 v1 7-1 purge - p1\n1 comment w1 7-2 p1 n1\n"},
    {"a user is still out after the time", "refused",
     "0.5 act w1 v1 timeout - n1 1\n0.6 done w1 done\n3 post w1 v1 n1 once p1\n3.1 refused w1 n1 p1 banned\n"},
    {"a user is in before the time", "not-refused",
     "0.5 act w1 v1 timeout - n1 9\n0.6 done w1 done\n3 post w1 v1 n1 once p1\n3.1 stored w1 n1 7-1 p1\n"},
    {"faster than slow mode", "not-refused",
     "0.5 act w1 v1 slow - n0 2500\n0.6 done w1 done\n1 post w1 v1 n1 once p1\n1.1 stored w1 n1 7-1 p1\n"
     "2 post w1 v1 n3 once p1\n2.1 stored w1 n3 7-2 p1\n"},
    {"longer than it may be", "not-refused",
     "0.5 act w1 v1 size - n0 3\n0.6 done w1 done\n1 post w1 v1 n1 once p1\n1.1 stored w1 n1 7-1 p1\n"},
    {"too long, and is not", "refused",
     "0.5 act w1 v1 size - n0 3000\n0.6 done w1 done\n1 post w1 v1 n1 once p1\n1.1 refused w1 n1 p1 too_long\n"},
    {"a room that holds does not", "not-refused",
     "1 act w1 v1 hold - n0 0\n1.1 done w1 done\n2 post w1 v1 n1 once p1\n2.1 stored w1 n1 7-1 p1\n"},
    {"it waits where nothing holds", "not-refused", "2 post w1 v1 n1 once p1\n2.1 waits w1 n1 p1\n"},
    {"hidden, and nobody is shadowed", "not-refused", "2 post w1 v1 n1 once p1\n2.1 hidden w1 n1 p1\n"},
    {"a shadowed user is seen", "shown",
     JOINS "0.5 act w1 v1 shadow - n1 0\n0.6 done w1 done\n1 post w1 v1 n1 once p1\n1.1 hidden w1 n1 p1\n"
           "1.2 comment w1 7-1 p1 n1\n"},
    {"what waits is seen", "shown",
     JOINS "0.5 act w1 v1 hold - n0 0\n0.6 done w1 done\n1 post w1 v1 n1 once p1\n1.1 waits w1 n1 p1\n"
           "1.2 comment w1 7-1 p1 n1\n"},
    {"what waits is not listed", "undecided",
     JOINS
     "0.5 act w1 v1 hold - n0 0\n0.6 done w1 done\n1 post w1 v1 n1 once p1\n1.1 waits w1 n1 p1\n5 calm\n36 end\n"},
    {"who wants all gets a sample", "sampled",
     JOINS "0 wants w1 all\n0.5 act w1 v1 rate - n0 1\n0.6 done w1 done\n" POSTS
           "4 more w1 2\n4 comment w1 7-3 p1 n3\n"},
    {"a viewer is at any reader of a set", NULL, SETS COMES("15", "2") "36 end\n"},
    {"a viewer comes to a reader that has just left the set", NULL,
     SETS "14 placed v1 p1 n0 2\n" COMES("15", "2") "36 end\n"},
    {"a viewer comes to a reader that is in no set any more", "misplaced",
     SETS "12 placed v1 p1 n0 2\n" COMES("15", "2") "36 end\n"},
    {"a viewer is at a reader that is in no set", "misplaced", SETS COMES("15", "3") "36 end\n"},
    {"where a reader is full, a viewer may be anywhere", NULL,
     "0 most 1\n0 placed v1 p1 n0 0\n5 calm\n12 join w2 v1 fetch 0 follows\n12 ask w2 -\n"
     "12 begin w2 7-0 reader-1\n" COMES("15", "2") "36 end\n"},
    {"the mapping names another reader than the first of the set", "hint",
     SETS "14 placed v1 p2 n12 2\n" COMES("15", "2") "36 end\n"},
    {"a video has two readers without a set", "two-owners",
     "5 calm\n12 join w2 v1 fetch 0 follows\n12 ask w2 -\n12 begin w2 7-0 reader-1\n" COMES("15",
                                                                                            "2") "36 end\n"},
    {"a reader that drains has no viewers left", NULL,
     COMES("1",
           "2") "5 calm\n12 order drain v0 n2\n12 obeyed drain v0 n2 200\n13 cut w1 moved\n13 ask w1 7-0\n"
                "13 begin w1 7-0 reader-1\n36 end\n"},
    {"a reader that drains keeps a viewer", "kept",
     COMES("1", "2") "5 calm\n12 order drain v0 n2\n12 obeyed drain v0 n2 200\n36 end\n"},
    {"a reader that drains since soon after the last fault keeps a viewer", "kept",
     COMES("1", "2") "5 calm\n9 order drain v0 n2\n9 obeyed drain v0 n2 200\n36 end\n"},
    {"a reader that drained before the last fault ended, and was started again, keeps a viewer", NULL,
     COMES("1", "2") "4 order drain v0 n2\n4 obeyed drain v0 n2 200\n5 calm\n36 end\n"},
    {"a reader that was to drain and then to stay keeps a viewer", NULL,
     COMES("1", "2") "5 calm\n12 order drain v0 n2\n12 obeyed drain v0 n2 200\n13 order stay v0 n2\n"
                     "13 obeyed stay v0 n2 200\n36 end\n"},
    {"a reader keeps a viewer of a video that was moved away", "kept",
     "0 placed v1 p2 n0 0\n" COMES("1", "2") "5 calm\n9 order move v1 n0\n9 obeyed move v1 n0 200\n"
                                             "9 placed v1 p1 n0 0\n36 end\n"},
    {"a reader that has had a video before keeps a viewer when another one's is moved away", NULL,
     "0 placed v1 p2 n0 0\n" COMES("1", "2") "3 placed v1 p3 n0 0\n5 calm\n9 order move v1 n0\n"
                                             "9 obeyed move v1 n0 200\n9 placed v1 p1 n0 0\n36 end\n"},
    {"an order is refused", "refused", "1 order move v1 n0\n1 obeyed move v1 n0 400\n"},
    {"a reader that shares a video lets viewers go while it has too many", NULL,
     "0 most 100\n0 placed v1 p1 n12 1\n" COMES("1", "1") "2 fault kill_manager-1\n3 cut w1 moved\n"},
    {"a reader that shares a video no more lets viewers go", "stopped",
     "0 most 100\n0 placed v1 p2 n12 1\n" COMES(
         "1", "1") "2 fault kill_manager-1\n3 placed v1 p2 n0 2\n7 cut w1 moved\n"},
    {"a reader lets a viewer go that another one, which was full, had sent there", "stopped",
     "0 most 1\n0 placed v1 p2 n0 0\n" COMES("1", "1") "2 fault kill_manager-1\n3 cut w1 moved\n"},
    {"a video that was moved lets viewers go", NULL,
     "0 placed v1 p1 n0 0\n" COMES("1", "1") "2 fault kill_manager-1\n6 order move v1 n0\n7 cut w1 moved\n"},
    {"a reader that is full turns a viewer away", NULL,
     "0 most 1\n0 join w1 v1 fetch 0 follows\n0 ask w1 -\n0 denied w1 503\n"},
    {"a reader that is full answers an EventSource", "denied",
     "0 most 1\n0 join w1 v1 eventsource 0 follows\n0 ask w1 -\n0 denied w1 503\n"},
    {"who wants the room knows what is pinned", NULL,
     JOINS "0 wants w1 room\n" POSTS SEES "4.1 act w1 v1 pin 7-2 n0 0\n4.2 done w1 done\n"
           "4.3 entry w1 v1 7-4 pin 7-2 p0\n4.4 room w1 n0 7-2\n5 calm\n36 end\n"},
    {"who wants the room knows what was pinned before", "room",
     JOINS "0 wants w1 room\n0.2 room w1 n0 -\n" POSTS SEES "4.1 act w1 v1 pin 7-2 n0 0\n4.2 done w1 done\n"
           "4.3 entry w1 v1 7-4 pin 7-2 p0\n5 calm\n36 end\n"},
    {"what was deleted is pinned no more", "room",
     JOINS
     "0 wants w1 room\n" POSTS SEES "4.1 act w1 v1 pin 7-2 n0 0\n4.2 done w1 done\n"
     "4.3 entry w1 v1 7-4 pin 7-2 p0\n4.4 room w1 n0 7-2\n4.5 act w1 v1 retract 7-2 n0 0\n4.6 done w1 done\n"
     "4.7 entry w1 v1 7-5 retract 7-2 p0\n5 calm\n36 end\n"},
    {"who wants the room knows an old one", "room",
     JOINS "0 wants w1 room\n0.5 act w1 v1 freeze - n0 0\n0.6 done w1 done\n0.7 room w1 n2 -\n"
           "0.8 act w1 v1 thaw - n0 0\n0.9 done w1 done\n5 calm\n36 end\n"},
    {"who wants the room knows none", "room", JOINS "0 wants w1 room\n5 calm\n36 end\n"},
    {"more reactions than were sent", "reactions", JOINS "1 react w1 v1\n2 reacted w1 1\n3 reacted w1 1\n"},
    {"who has not got the end when a start follows is cut", NULL,
     JOINS POSTS SEES
     "4.1 fault kill_manager-1\n4.2 act w1 v1 end - n0 0\n4.3 done w1 done\n4.4 act w1 v1 start - n0 0\n"
     "4.5 done w1 done\n4.6 cut w1 cut\n"},
    {"who is behind is told that all is over", "ended",
     JOINS "0.5 act w1 v1 end - n0 0\n0.6 done w1 done\n0.7 act w1 v1 start - n0 0\n0.8 done w1 done\n"
           "1 post w1 v1 n1 once p1\n1.1 stored w1 n1 7-3 p1\n2 act w1 v1 end - n0 0\n2.1 done w1 done\n"
           "3 entry w1 v1 7-1 end - p0\n3 cut w1 end\n4 ask w1 7-1\n4.1 denied w1 204\n4.2 leave w1\n"},
    {"the answer that all is over comes after a start and another end", NULL,
     JOINS
     "0.5 act w1 v1 end - n0 0\n0.6 done w1 done\n0.7 entry w1 v1 7-1 end - p0\n0.7 cut w1 end\n0.8 ask w1 7-1\n"
     "0.9 act w1 v1 start - n0 0\n1 done w1 done\n1.1 post w1 v1 n1 once p1\n1.2 stored w1 n1 7-3 p1\n"
     "2 act w1 v1 end - n0 0\n2.1 done w1 done\n3 denied w1 204\n3.1 leave w1\n"},
    {"a stream ends in order before its end", "ended",
     JOINS POSTS "4 comment w1 7-1 p1 n1\n5 act w1 v1 end - n0 0\n5.1 done w1 done\n6 cut w1 end\n"},
    {"a stream ends in order, and the video has not", "ended", JOINS POSTS SEES "5 cut w1 end\n"},
    {"a video is over for who has not got all", "ended",
     JOINS POSTS "4 comment w1 7-1 p1 n1\n4 comment w1 7-2 p1 n2\n4.1 cut w1 cut\n5 act w1 v1 end - n0 0\n"
                 "5.1 done w1 done\n6 ask w1 7-2\n6.1 denied w1 204\n6.2 leave w1\n"},
    {"the statistics may count an unknown outcome", NULL,
     JOINS POSTS SEES "5 post w1 v1 n9 once p1\n5 unknown w1 n9 p1\n6 total 4\n"},

    {"acknowledged without a number", "no-number", "1 post w1 v1 n1 once p1\n1 stored w1 n1 - p1\n"},
    {"two acknowledged with one number", "two-texts",
     "1 post w1 v1 n1 once p1\n1 stored w1 n1 7-1 p1\n2 post w2 v1 n1 once p1\n2 stored w2 n1 7-1 p1\n"},
    {"two viewers see two texts", "two-texts",
     JOINS
     "0 join w2 v1 fetch 0 follows\n0 ask w2 -\n0.1 begin w2 7-0 reader-1\n"
     "1 post w1 v1 n1 once p1\n1 post w2 v1 n1 once p1\n2 comment w1 7-1 p1 n1\n2 comment w2 7-1 p2 n1\n"},
    {"sent once, stored twice", "stored-twice",
     JOINS
     "1 post w1 v1 n1 once p1\n1 stored w1 n1 7-1 p1\n2 comment w1 7-1 p1 n1\n3 comment w1 7-2 p1 n1\n"},
    {"two answers to one key", "stored-twice",
     "1 post w1 v1 n1 keyed p1\n1 stored w1 n1 7-1 p1\n2 post w1 v1 n1 keyed p1\n2 stored w1 n1 7-2 p1\n"},
    {"stored again although nothing was lost of it", "stored-twice",
     "1 post w1 v1 n1 keyed p1\n1 stored w1 n1 7-1 p1\n2 lost v1 7-2 7-9\n2 post w1 v1 n1 keyed p1\n"
     "2 stored w1 n1 9-1 p1\n"},
    {"a comment that was never posted", "stranger", JOINS "2 comment w1 7-1 p1 n1\n"},
    {"a comment of another video", "stranger", JOINS "1 post w1 v2 n1 once p1\n2 comment w1 7-1 p1 n1\n"},
    {"refused", "refused", "1 post w1 v1 n1 keyed p1\n1 refused w1 n1 p1 422\n"},
    {"a lower number after a higher one", "order",
     "0 join w1 v1 fetch 1 follows\n0 ask w1 -\n0 begin w1 7-0 r\n" POSTS
     "4 comment w1 7-1 p1 n1\n4 gap w1 7-2 7-2 1 slow\n4 comment w1 7-3 p1 n3\n4 comment w1 7-2 p1 n2\n"},
    {"the same number again", "duplicate", JOINS POSTS SEES "4 comment w1 7-3 p1 n3\n"},
    {"again although it came before the two servers", "duplicate",
     JOINS POSTS SEES "3.5 fault store-split\n5 lost v1 7-3 7-3\n6 gap w1 7-4 7-1 null epoch\n"
                      "6 comment w1 7-2 p1 n2\n"},
    {"again long after it was lost", "duplicate",
     JOINS POSTS SEES "5 lost v1 7-2 7-3\n6 gap w1 7-4 7-1 null epoch\n30 comment w1 7-2 p1 n2\n"},
    {"connected, it misses what was appended below a lost epoch", "needless-gap",
     JOINS "1 post w1 v1 n1 keyed p1\n1.1 stored w1 n1 7-1 p1\n1.2 comment w1 7-1 p1 n1\n"
           "2 post w1 v1 n2 keyed p1\n2.1 stored w1 n2 9-1 p1\n2.2 comment w1 9-1 p1 n2\n"
           "3 lost v1 9-1 9-1\n7 post w1 v1 n3 keyed p1\n7.1 stored w1 n3 8-1 p1\n"
           "8.1 gap w1 7-2 10-1 null epoch\n"},
    {"again after a resume", "duplicate",
     JOINS POSTS SEES "4 cut w1 -\n4 ask w1 7-3\n4 begin w1 7-3 r\n4 comment w1 7-3 p1 n3\n"},
    {"a number is left out", "hole", JOINS POSTS "4 comment w1 7-1 p1 n1\n4 comment w1 7-3 p1 n3\n"},
    {"a number is left out after a resume", "hole",
     JOINS POSTS
     "4 comment w1 7-1 p1 n1\n4 cut w1 -\n4 ask w1 7-1\n4 begin w1 7-1 r\n4 comment w1 7-3 p1 n3\n"},
    {"an epoch does not begin at 1", "hole",
     JOINS POSTS SEES "5 post w1 v1 n4 once p1\n5.2 comment w1 9-2 p1 n4\n"},
    {"a gap begins too late", "hole",
     "0 join w1 v1 fetch 1 follows\n0 ask w1 -\n0 begin w1 7-0 r\n" POSTS
     "4 gap w1 7-2 7-2 1 slow\n4 comment w1 7-3 p1 n3\n"},
    {"a stream begins elsewhere", "resume",
     JOINS POSTS
     "1.2 comment w1 7-1 p1 n1\n1.3 cut w1 -\n4 ask w1 7-1\n4 begin w1 7-2 r\n4 comment w1 7-3 p1 n3\n"},
    {"an epoch is left behind too early", "silent-loss",
     JOINS POSTS
     "4 comment w1 7-1 p1 n1\n5 post w1 v1 n4 once p1\n5 stored w1 n4 9-1 p1\n5 comment w1 9-1 p1 n4\n"},
    {"a loss is not announced", "silent-loss",
     JOINS POSTS "4 comment w1 7-1 p1 n1\n4 lost v1 7-2 7-3\n5 post w1 v1 n4 once p1\n5 stored w1 n4 9-1 p1\n"
                 "5 comment w1 9-1 p1 n4\n"},
    {"a loss that a comment API knows of is not announced", "silent-loss",
     JOINS "1 post w1 v1 n1 once p0\n1.1 stored w1 n1 7-1 p0\n2 lost v1 7-1 7-1\n3 fault kill_comment-2\n"
           "5 post w1 v1 n4 once p1\n5 stored w1 n4 9-1 p1\n5 comment w1 9-1 p1 n4\n"},
    {"a loss that a reader knows of is not announced", "silent-loss",
     JOINS
     "0 join w2 v1 fetch 0 follows\n0 ask w2 -\n0.1 begin w2 7-0 reader-2\n"
     "1 post w1 v1 n1 once p0\n1.1 stored w1 n1 7-1 p0\n1.2 comment w2 7-1 p1 n1\n1.3 fault kill_comment-1\n"
     "2 lost v1 7-1 7-1\n5 post w1 v1 n4 once p1\n5 stored w1 n4 9-1 p1\n5 comment w1 9-1 p1 n4\n"},
    {"a reader that ended before a loss, and began again, knows of a comment", "silent-loss",
     JOINS "0 join w2 v1 fetch 0 follows\n0 ask w2 -\n0.1 begin w2 7-0 reader-1\n"
           "1 post w1 v1 n1 once p0\n1.1 stored w1 n1 7-1 p0\n1.3 fault kill_comment-1\n"
           "1.3 fault kill_reader-1\n1.4 cut w2 -\n1.5 ask w2 7-0\n1.6 begin w2 7-0 reader-1\n"
           "2 lost v1 7-1 7-1\n2.1 comment w2 7-1 p1 n1\n"
           "5 post w1 v1 n4 once p1\n5 stored w1 n4 9-1 p1\n5 comment w1 9-1 p1 n4\n"},
    {"a comment API ends long after a loss, which it has not announced", "silent-loss",
     JOINS
     "1 post w1 v1 n1 once p0\n1.1 stored w1 n1 7-1 p0\n2 lost v1 7-1 7-1\n"
     "5 post w1 v1 n4 once p1\n5 stored w1 n4 9-1 p1\n5 comment w1 9-1 p1 n4\n13 fault kill_comment-1\n"},
    {"a comment is kept until as many numbers have followed", "needless-gap",
     "0 kept 3\n" COMES_BACK_BEHIND_A_TOMBSTONE},
    {"what is posted after a gap has made no room in the log by then", "needless-gap",
     "0 kept 1\n" JOINS POSTS
     "0.2 cut w1 -\n4 ask w1 7-0\n4.1 begin w1 7-0 r\n4.1 newest w1 7-3\n4.1 gap w1 7-1 7-3 3 expired\n"
     "4.15 post w1 v1 n4 once p1\n4.2 stored w1 n4 7-4 p1\n4.3 comment w1 7-4 p1 n4\n"},
    {"a gap over what is kept", "needless-gap",
     JOINS POSTS "4 gap w1 7-1 7-2 2 expired\n4 comment w1 7-3 p1 n3\n"},
    {"a gap of a wrong sum", "needless-gap",
     "0 kept 1\n" JOINS POSTS "4 gap w1 7-1 7-2 3 expired\n4 comment w1 7-3 p1 n3\n"},
    {"a gap of an unknown reason", "needless-gap",
     "0 kept 1\n" JOINS POSTS "4 gap w1 7-1 7-2 2 whatever\n4 comment w1 7-3 p1 n3\n"},
    {"who leaves after a comment below it is owed it", "silent-loss",
     JOINS
     "1 post w1 v1 n1 keyed p1\n1.1 stored w1 n1 9-1 p1\n1.2 comment w1 9-1 p1 n1\n"
     "2 lost v1 9-1 9-1\n3 post w1 v1 n2 keyed p1\n3.1 stored w1 n2 8-1 p1\n4 leave w1\n5 calm\n36 end\n"},
    {"a loss that was none", "needless-gap", JOINS POSTS SEES "6 gap w1 7-4 9-1 null epoch\n"},
    {"slow, although it reads", "needless-gap",
     JOINS POSTS SEES "5 calm\n21 post w1 v1 n4 once p1\n21 stored w1 n4 7-4 p1\n22 gap w1 7-4 7-4 1 slow\n"},
    {"a broken chunk", "malformed", JOINS "1 broken w1 HPE_INVALID_CHUNK_SIZE\n"},
    {"no stream for a browser", "denied",
     "0 join w1 v1 eventsource 0 follows\n0 ask w1 -\n1 denied w1 503\n"},
    {"round and round", "loop",
     "0 join w1 v1 fetch 0 follows\n0 ask w1 -\n1 redirect w1 a\n1 redirect w1 b\n1 redirect w1 a\n"
     "1 redirect w1 b\n"},
    {"two readers of one video", "two-owners",
     "0 join w1 v1 fetch 0 follows\n0 join w2 v1 fetch 0 follows\n5 calm\n21 ask w1 -\n21 begin w1 7-0 "
     "reader-1\n22 ask w2 -\n22 begin w2 7-0 reader-2\n36 end\n"},
    {"not all is seen at the end", "behind", JOINS POSTS "4 comment w1 7-1 p1 n1\n5 calm\n36 end\n"},
    {"no stream at the end", "behind", JOINS POSTS SEES "4 cut w1 -\n5 calm\n36 end\n"},
    {"never a stream", "behind", "0 join w1 v1 fetch 0 follows\n0 ask w1 -\n5 calm\n36 end\n"},
    {"an API that accepts nothing", "deaf",
     JOINS POSTS SEES CALM "7 post w1 v1 n5 once p2\n8 unknown w1 n5 p2\n36 end\n"},
    {"a key without an answer", "unsettled",
     "1 post w1 v1 n1 keyed p1\n2 unknown w1 n1 p1\n5 calm\n36 end\n"},
    {"a comment that comes late", "delayed",
     JOINS POSTS SEES "5 calm\n21 post w1 v1 n4 once p1\n21 stored w1 n4 7-4 p1\n24 comment w1 7-4 p1 n4\n"},
    {"the statistics count too few", "totals", JOINS POSTS SEES "6 total 2\n"},
    {"the statistics count too many", "totals", JOINS POSTS SEES "6 total 4\n"},
    {"the statistics cannot be asked", "uncounted", JOINS POSTS SEES "5 calm\n35 count v0\n36 end\n"},
    {"a ledger cannot be asked", "uncounted",
     JOINS POSTS SEES CALM "35 count v0\n35 total 4\n35 count v1\n36 end\n"},
    {"a stream ends as the manager does", "stopped",
     JOINS POSTS SEES "4.1 fault kill_manager-1\n4.2 cut w1 cut\n"},
    {"a pair is missing", "ledger", JOINS POSTS SEES "5 calm\n35 ledger v1 n1 keyed\n36 end\n"},
    {"a ledger does not close", "ledger", JOINS POSTS SEES "5 calm\n35 ledger v1 n0 once\n36 end\n"},
};

static void test_history(void **state) {
    const struct history *h = *state;
    struct journal j = {0};
    struct verdict *v = calloc(1, sizeof *v);
    assert_int_equal(journal_read(&j, h->text), 0);
    judge(v, &j);
    for (size_t i = 0; i < v->count; i++) {
        if (!h->finding) fail_msg("%s: %s", v->findings[i].code, v->findings[i].text);
        assert_string_equal(v->findings[i].code, h->finding);
    }
    assert_int_equal(v->count > 0, h->finding != NULL);
    free(v);
    journal_release(&j);
}

static void test_a_line_is_read_as_it_was_written(void **state) {
    (void)state;
    static const char text[] = "0.000001 kept 100\n"
                               "1.500000 post w3 v1 n17 keyed p2\n"
                               "1.600000 stored w3 n17 1763932000000-41 p2\n"
                               "1.700000 unknown w3 n18 p2\n"
                               "1.700000 refused w3 n18 p2 422\n"
                               "1.700000 join w3 v1 eventsource 2 stays\n"
                               "1.700000 ask w3 -\n"
                               "1.700000 redirect w3 http://10.0.0.1:4001\n"
                               "1.700000 begin w3 7-0 reader-1\n"
                               "1.700000 comment w3 7-1 p3 n17\n"
                               "1.700000 gap w3 7-2 7-4 3 slow\n"
                               "1.700000 gap w3 7-5 9-1 null epoch\n"
                               "1.700000 newest w3 7-9\n"
                               "1.700000 entry w3 v1 7-5 retract 7-2 p0\n"
                               "1.700000 passed w3 7-2\n"
                               "1.700000 more w3 4\n"
                               "1.700000 act w1 v1 rate - n0 2\n"
                               "1.700000 unsure w1\n"
                               "1.700000 done w1 gone\n"
                               "1.700000 look w1 v1 7-2 n4\n"
                               "1.700000 listed w1 shown\n"
                               "1.700000 waits w3 n19 p1\n"
                               "1.700000 hidden w3 n20 p1\n"
                               "1.700000 react w3 v1\n"
                               "1.700000 wants w3 room\n"
                               "1.700000 room w3 n6 7-5\n"
                               "1.700000 reacted w3 2\n"
                               "1.700000 allowed w3 n19 7-9 p0\n"
                               "1.700000 cut w3 reset\n"
                               "1.700000 denied w3 503\n"
                               "1.700000 broken w3 chunk\n"
                               "1.700000 leave w3\n"
                               "1.700000 lost v1 7-2 7-4\n"
                               "1.700000 fault kill_reader-1\n"
                               "1.700000 order move v2 n3\n"
                               "1.700000 obeyed move v2 n3 200\n"
                               "1.700000 placed v2 p3 n312 4\n"
                               "1.700000 most 60\n"
                               "1.700000 calm\n"
                               "1.700000 total 12\n"
                               "2.000000 end\n";
    struct journal j = {0};
    struct buf b = {0};
    assert_int_equal(journal_read(&j, text), 0);
    for (size_t i = 0; i < j.count; i++) {
        journal_write(&b, &j.events[i]);
        buf_add_string(&b, "\n");
    }
    assert_string_equal(buf_string(&b), text);
    buf_release(&b);
    journal_release(&j);
}

static void test_a_malformed_line_is_found(void **state) {
    (void)state;
    static const char *const wrong[] = {"1 nothing w1\n",
                                        "x end\n",
                                        "1 cut w1\n",
                                        "1 leave w1 w2\n",
                                        "1 leave v1\n",
                                        "1 begin w1 7 r\n",
                                        "1 post w1 v1 n1 perhaps p1\n",
                                        "1 total many\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct journal j = {0};
        struct buf b = {0};
        buf_printf(&b, "# comment\n\n%s", wrong[i]);
        assert_int_equal(journal_read(&j, buf_string(&b)), 3);
        buf_release(&b);
        journal_release(&j);
    }
}

int main(void) {
    enum { COUNT = sizeof histories / sizeof *histories };
    struct CMUnitTest tests[COUNT + 2] = {
        cmocka_unit_test(test_a_line_is_read_as_it_was_written),
        cmocka_unit_test(test_a_malformed_line_is_found),
    };
    for (size_t i = 0; i < COUNT; i++)
        tests[i + 2] =
            (struct CMUnitTest){histories[i].name, test_history, NULL, NULL, (void *)&histories[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
