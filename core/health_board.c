/* Health board.
 *
 *   health_post ─► on_news, on each follower's loop ─► changed
 *   health_unfollow ─► on_leave, on the poster's loop ─► left */
#include "core/health_board.h"

#include "core/mem.h"

/* A health on its way to one follower. */
struct news {
    struct task task;
    struct health_follower *follower;
    struct region_health *health; /* a reference */
};

static void on_news(struct task *task);
static void on_leave(struct task *task);

void health_board_open(struct health_board *board, const struct topology *t)
{
    *board = (struct health_board){ .newest = region_health_new(t) };
    list_init(&board->followers);
}

void health_board_close(struct health_board *board)
{
    region_health_unref(board->newest);
    board->newest = NULL;
}

void health_follow(struct health_board *board, struct health_follower *follower)
{
    follower->board = board;
    follower->health = region_health_ref(board->newest);
    list_append(&board->followers, &follower->link);
}

void health_post(struct health_board *board, struct region_health *health)
{
    for (struct list *at = board->followers.next; at != &board->followers; at = at->next) {
        struct news *news = xcalloc(1, sizeof *news);

        news->task.run = on_news;
        news->follower = container_of(at, struct health_follower, link);
        news->health = region_health_ref(health);
        inbox_post(news->follower->inbox, &news->task);
    }
    region_health_unref(board->newest);
    board->newest = health;
}

static void on_news(struct task *task)
{
    struct news *news = container_of(task, struct news, task);
    struct health_follower *follower = news->follower;

    region_health_unref(follower->health);
    follower->health = news->health;
    free(news);
    if (follower->changed)
        follower->changed(follower);
}

/* The list is the poster's alone; without one nobody reads it any more. */
void health_unfollow(struct health_follower *follower, struct task *left)
{
    follower->left = left;
    follower->leave.run = on_leave;
    inbox_post(follower->board->inbox ? follower->board->inbox : follower->inbox,
               &follower->leave);
}

static void on_leave(struct task *task)
{
    struct health_follower *follower = container_of(task, struct health_follower, leave);

    if (follower->board->inbox)
        list_remove(&follower->link);
    inbox_post(follower->inbox, follower->left);
}
