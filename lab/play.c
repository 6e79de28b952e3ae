#include "lab/play.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/say.h"

#define AGAIN_MS        200
#define AWAIT_MS        60000
#define COMMAND_MAX     1024 /* bytes */
#define DIR_PLACEHOLDER "{dir}"

static void go_on(struct play *play);
static void run(struct play *play);
static void on_done(struct shell *shell, int exit);
static void on_pause(uv_timer_t *timer);

void play_open(struct play *play, uv_loop_t *loop, struct nursery *nursery, const char *dir)
{
    shell_init(&play->shell, loop, nursery, dir);
    play->shell.done = on_done;
    uv_timer_init(loop, &play->pause);
    play->pause.data = play;
}

void play_start(struct play *play, const struct act *acts, size_t count)
{
    play->acts = acts;
    play->count = count;
    play->index = 0;
    go_on(play);
}

/* How often the act's receiver has verified a delivery. */
static size_t count_verified(const struct play *play, const struct act *act)
{
    for (size_t i = 0; act->receiver && i < play->receiver_count; i++)
        if (strcmp(play->receivers[i].region, act->receiver) == 0)
            return play->receivers[i].verified;
    return 0;
}

static void begin_command(struct play *play, const struct act *act)
{
    play->verified = count_verified(play, act);
    play->deadline_ms = uv_now(play->shell.loop) + AWAIT_MS;
    run(play);
}

/* Words are over at once. */
static void go_on(struct play *play)
{
    for (; play->index < play->count; play->index++) {
        const struct act *act = &play->acts[play->index];

        switch (act->kind) {
        case ACT_STEP:
            printf("\n%s%s\n", act->text, play->has_keys ? "  (press a key)" : "");
            play->waits_for_key = play->has_keys;
            break;
        case ACT_SAY:
            printf("%s\n", act->text);
            break;
        case ACT_RUN:
        case ACT_AWAIT:
        case ACT_MEET:
            begin_command(play, act);
            return;
        }
        if (play->waits_for_key) {
            play->index++;
            return;
        }
    }
    play->done(play, true);
}

void play_key(struct play *play)
{
    if (!play->waits_for_key || play->is_stopped)
        return;
    play->waits_for_key = false;
    go_on(play);
}

static void write_command(const struct play *play, char out[COMMAND_MAX])
{
    const char *text = play->acts[play->index].text;
    const char *dir = strstr(text, DIR_PLACEHOLDER);
    size_t len = dir ? (size_t)(dir - text) : strlen(text);

    snprintf(out, COMMAND_MAX, "%.*s%s%s", (int)len, text, dir ? play->dir_option : "",
             dir ? dir + strlen(DIR_PLACEHOLDER) : "");
}

static void fail(struct play *play, const char *why, const char *what)
{
    char command[COMMAND_MAX];

    write_command(play, command);
    fflush(stdout);
    say("'%s' %s%s", command, why, what);
    play->done(play, false);
}

static void run(struct play *play)
{
    char command[COMMAND_MAX];

    write_command(play, command);
    if (play->acts[play->index].kind == ACT_RUN)
        printf("$ %s\n", command);
    if (!shell_start(&play->shell, command))
        fail(play, "can't be run", "");
}

static bool is_found(const char *pattern, const char *text)
{
    regex_t regex;

    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB) != 0)
        abort();
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

/* What isn't as the act says; NULL: all is. */
static const char *find_fault(const struct play *play, const struct act *act, int exit,
                              const char **out_what)
{
    const char *output = buf_text(&play->shell.output);

    *out_what = "";
    if (exit != act->exit)
        return "ended with another exit status than it should";
    for (size_t i = 0; i < ACT_WANTS_MAX && act->wants[i]; i++)
        if (!is_found(act->wants[i], output)) {
            *out_what = act->wants[i];
            return "printed nothing like ";
        }
    if (act->lacks && is_found(act->lacks, output)) {
        *out_what = act->lacks;
        return "printed something like ";
    }
    if (act->receiver && count_verified(play, act) == play->verified) {
        *out_what = act->receiver;
        return "brought no delivery that could be verified to ";
    }
    return NULL;
}

static void print(const struct play *play, const struct act *act)
{
    char command[COMMAND_MAX];

    write_command(play, command);
    if (act->kind == ACT_AWAIT)
        printf("$ %s\n", command);
    if (act->kind != ACT_MEET)
        fputs(buf_text(&play->shell.output), stdout);
}

static void on_done(struct shell *shell, int exit)
{
    struct play *play = container_of(shell, struct play, shell);
    const struct act *act = &play->acts[play->index];
    const char *what;

    if (play->is_stopped)
        return;
    const char *fault = find_fault(play, act, exit, &what);
    if (fault && act->kind != ACT_RUN && uv_now(shell->loop) < play->deadline_ms) {
        uv_timer_start(&play->pause, on_pause, AGAIN_MS, 0);
        return;
    }
    print(play, act);
    if (fault) {
        fail(play, fault, what);
        return;
    }
    play->index++;
    go_on(play);
}

static void on_pause(uv_timer_t *timer)
{
    run(timer->data);
}

void play_close(struct play *play)
{
    play->is_stopped = true;
    shell_kill(&play->shell);
    uv_close((uv_handle_t *)&play->pause, NULL);
}

void play_fini(struct play *play)
{
    shell_fini(&play->shell);
}
