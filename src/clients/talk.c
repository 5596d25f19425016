#include "talk.h"

#include <math.h>

enum {
    CALM_US = 480000, // the mean pause,
    CALM_MAX_US = 3000000,
    REACTION_MIN_US = 60000, // pauses in a burst
    REACTION_MAX_US = 380000,
    BURST_ONE_IN = 40,  // turns begin one, on average
    REACTIONS_EACH = 3, // of each viewer in a burst, at most
    REACTIONS_MAX = 30  // of all
};

static const char *const sentences[] = {
    "Hello from Lisbon!",
    "hi everyone 👋",
    "Just got here, what did I miss?",
    "The sound is so much better than last week.",
    "Is anyone else watching this at work? 😅",
    "first time here, this is great",
    "Could somebody say what the song at the beginning was?",
    "I have two screens open and still cannot keep up with you all",
    "¿De dónde nos ven hoy? Yo desde Rosario 🇦🇷",
    "ok that was smooth",
    "Been waiting for this all day.",
    "my cat is watching too 🐈",
    "Does it start again for those who came late?",
    "No, but you can go back once it is over.",
    "Que imagem linda, parabéns a todos!",
    ("It is past midnight here and I have to be up at six. Worth it, though: I would not miss this for anything, "
     "and the people in here are half of the reason."),
    "the camera on the left is a bit out of focus",
    "fixed, thanks!",
    "Which city is that in the background?",
    "Looks like Valparaíso to me",
    "Grüße aus Graz! Läuft bei euch auch alles ohne Ruckeln?",
    "ja, hier auch",
    "You can tell how much work went into this.",
    "audio is fine for me, try another tab",
    "今日も楽しみにしてました！",
    "can we get a closer look at that?",
    "+1, closer please",
    "Thank you for explaining it so calmly. I have read about this for years and only understood it now.",
    "brb making tea ☕",
    "back. what happened??",
    "Nothing yet, you are just in time.",
    "Bonsoir de Montréal, il neige ici ❄️",
    "I think they said ten minutes",
    "This is the part I told you about, Sam",
    "anyone know if there will be a second one tomorrow?",
    "Tomorrow same time, it says so below the video.",
    "안녕하세요! 화질 정말 좋네요",
    "my internet chose the worst moment to give up, but I did not miss a single comment",
    "the colours are unreal",
    "I could watch this for hours.",
    "who is moderating? doing a great job",
    "Pozdrowienia z Gdańska!",
    "Is it live or a recording?",
    "live, look at the clock behind them",
    "oh right 😂",
    "नमस्ते दोस्तों, पुणे से देख रहे हैं",
    ("What would happen if the wind picked up? Would they call it off, or is there a backup plan? They must have "
     "thought of that, but nobody has mentioned it so far."),
    "They moved it twice last year because of the weather",
    "makes sense, thanks",
    "I brought snacks 🍿",
    "sharing is caring",
    "Ciao a tutti da Bologna!",
    "hands up who stayed up all night",
    "🙋",
    "🙋‍♀️ zero regrets",
    "That answer was better than the whole interview before it.",
    "does the chat scroll too fast for anyone else, or is it just my phone",
    "Scroll up a little and it waits for you.",
    "oh nice, thank you!",
    "привет всем из Еревана",
    "I met my best friend in this chat two years ago. Hi Noor!",
    "hi hi hi 💛",
    "can somebody translate what she just said?",
    "She said it took them three winters to get it right.",
    "three winters!!",
    "这个角度太好看了",
    "You have convinced me to go there one day.",
    "Go in March, it is quiet then.",
    "İzmir'den selamlar",
    "the little one in the corner is stealing the show",
    "Every time I look away something happens.",
    "please never change the camera again, this is perfect",
    "Does anybody have the link from before?",
    "scroll up a bit, Ines posted it",
    "found it, thanks Ines",
    "مرحبا من عمّان",
    "two more minutes",
    "my kids are counting down with you",
    "I am not crying, you are crying",
    "Hälsningar från Umeå, minus elva grader här",
    "minus eleven?! 25 here and I was complaining",
    "what a crew",
    "This deserves so many more viewers.",
    "tell your friends then 😉",
    "just did",
    "Volume up for the next bit, trust me.",
    "you were right about the volume",
    "Groetjes uit Utrecht!",
    "did they test this before, or is this the first try?",
    ("First try in public. They did it four times without an audience, and the last two went well, so fingers "
     "crossed for all of them. I will be back with tissues either way."),
    "fingers crossed 🤞",
    "🤞🤞",
    "I need to know what that red lamp is for",
    "recording, I think",
    "Good night everyone, I really must sleep now.",
    "night! see you tomorrow",
    "ok one more minute",
    "Obrigada por partilharem isto connosco 💚",
    "that was worth every minute",
};

static const char *const reactions[] = {
    "wow",
    "WOW",
    "😮",
    "there it is!!",
    "YES",
    "yesss 🎉",
    "👏👏👏",
    "no way",
    "did you see that?",
    "I saw it!",
    "😂",
    "😂😂😂",
    "amazing",
    "increíble!!",
    "goosebumps",
    "again! again!",
    "🔥",
    "🔥🔥🔥",
    "bravo!",
    "que lindo",
    "すごい",
    "대박",
    "what just happened",
    "replay please",
    "that timing though",
    "❤️",
    "💚💚",
    "incredible",
    "haha perfect",
    "omg",
    "wahnsinn",
    "magnifique",
    "they did it!",
    "ich fass es nicht",
    "finally!!",
    "I screamed and woke up the dog",
    "👀",
};

static const char *const names[] = {
    "Ann Smith", "João Pereira", "Mia",        "김서연",         "Lukas Weber", "Noor",    "Tariq A.",
    "Chloé",     "Sam",          "Oluwaseun",  "Ines Carvalho",  "haruka",      "Piotr",   "Leyla",
    "Bob",       "Dana K.",      "Mateo Díaz", "Priya",          "陈晓雨",      "Freja",   "Old Gregor",
    "nina_b",    "Yusuf",        "Camille",    "Ваня",           "Grace O.",    "Tomás",   "Aiko",
    "Elif",      "Jonas",        "Marguerite", "dave from work", "Zofia",       "Rahul",   "Sigrid",
    "Luca",      "Amara",        "Wes",        "美咲",           "Kofi",        "Beatriz", "Nils Holm",
    "Farah",     "pixelkatze",   "Ravi",       "Hana",           "Emeka",       "Lotte",   "Santi",
    "Irina",     "Moss",         "Valentina",  "Theo",           "Salma",       "Jun",     "Maeve",
    "Oskar",     "Lucía",        "Ada",        "Bram",           "Kwame",       "Sofie",   "T. Nguyen",
    "عمر",
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

void talk_init(struct talk *t, const unsigned *videos, size_t viewers, uint64_t seed) {
    *t = (struct talk){.videos = videos, .viewers = viewers, .prng.state = seed};
    for (size_t i = 0; i < viewers; i++) t->last_viewer[videos[i] % TALK_ROOMS] = i;
    for (size_t i = 0; i < TALK_ROOMS; i++) t->next_sentence[i] = prng_below(&t->prng, COUNT(sentences));
    t->next_reaction = prng_below(&t->prng, COUNT(reactions));
}

// Returns a viewer of the video; the one that spoke last there only if it is alone.
static size_t talk_choose_viewer(struct talk *t, unsigned video) {
    size_t *last = &t->last_viewer[video % TALK_ROOMS], others = 0;
    for (size_t i = 0; i < t->viewers; i++) others += t->videos[i] == video && i != *last;
    size_t skipped = others ? prng_below(&t->prng, others) : 0;
    for (size_t i = 0; others && i < t->viewers; i++) {
        if (t->videos[i] != video || i == *last || skipped--) continue;
        *last = i;
        break;
    }
    return *last;
}

static void talk_begin_burst(struct talk *t) {
    size_t watching = 0;
    t->burst_video = t->videos[prng_below(&t->prng, t->viewers)];
    for (size_t i = 0; i < t->viewers; i++) watching += t->videos[i] == t->burst_video;
    t->reactions_due = watching + prng_below(&t->prng, watching * (REACTIONS_EACH - 1) + 1);
    if (t->reactions_due > REACTIONS_MAX) t->reactions_due = REACTIONS_MAX;
}

static struct talk_turn talk_react(struct talk *t) {
    uint64_t range = REACTION_MAX_US - REACTION_MIN_US;
    t->reactions_due--;
    return (struct talk_turn){.viewer = talk_choose_viewer(t, t->burst_video),
                              .text = reactions[t->next_reaction++ % COUNT(reactions)],
                              .wait_us = REACTION_MIN_US + (int64_t)prng_below(&t->prng, range)};
}

// Independent of each other, people speak after exponentially distributed pauses.
static struct talk_turn talk_speak(struct talk *t) {
    double pause_us = -log(1 - prng_unit(&t->prng)) * CALM_US;
    unsigned video = t->videos[prng_below(&t->prng, t->viewers)];
    size_t viewer = talk_choose_viewer(t, video);
    size_t *next = &t->next_sentence[video % TALK_ROOMS];
    return (struct talk_turn){.viewer = viewer,
                              .text = sentences[(*next)++ % COUNT(sentences)],
                              .wait_us = pause_us < CALM_MAX_US ? (int64_t)pause_us : CALM_MAX_US};
}

struct talk_turn talk_next(struct talk *t) {
    if (!t->reactions_due && !prng_below(&t->prng, BURST_ONE_IN)) talk_begin_burst(t);
    return t->reactions_due ? talk_react(t) : talk_speak(t);
}

const char *talk_name(unsigned number) {
    return names[(number - 1) % COUNT(names)];
}
