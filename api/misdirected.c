#include "api/misdirected.h"

static struct misdirected_item *find_item(struct misdirected *m, const struct id *organization,
                                          const struct id *application)
{
    for (size_t i = 0; i < m->count; i++)
        if (id_equal(&m->items[i].application, application) &&
            id_equal(&m->items[i].organization, organization))
            return &m->items[i];
    return NULL;
}

static struct misdirected_item *make_room(struct misdirected *m)
{
    struct misdirected_item *fewest = &m->items[0];

    if (m->count < MISDIRECTED_MAX)
        return &m->items[m->count++];
    for (size_t i = 1; i < m->count; i++)
        if (m->items[i].requests < fewest->requests)
            fewest = &m->items[i];
    return fewest;
}

void misdirected_add(struct misdirected *m, const struct id *organization,
                     const struct id *application)
{
    struct misdirected_item *item = find_item(m, organization, application);

    if (!item) {
        item = make_room(m);
        *item = (struct misdirected_item){
            .organization = *organization,
            .application = *application,
        };
    }
    item->requests++;
}
