#include "core/region_card.h"

#include <stdio.h>
#include <string.h>

#include "core/count.h"
#include "core/document.h"
#include "core/explain.h"
#include "core/mem.h"
#include "core/number.h"

struct reading {
    const char *source;
    struct region_card *card;
    char *why;
};

static enum err on_setting(const struct document_setting *given, void *ctx);
static enum err check(const char *source, struct region_card *card, char *why);

enum err region_card_read(const char *source, const char *text, size_t len,
                          struct region_card *out, char why[REGION_CARD_WHY_MAX])
{
    struct region_card card = { .lines = { 0 } };
    struct reading reading = { source, &card, why };
    struct document_fault fault = { .line = 0 };

    if (len > REGION_CARD_LEN_MAX) {
        explain(why, REGION_CARD_WHY_MAX, "%s: is larger than %d bytes", source,
                REGION_CARD_LEN_MAX);
        return ERR_LIMIT;
    }
    enum err err = document_read(text, len, on_setting, &reading, &fault);
    if (err && fault.line > 0)
        explain(why, REGION_CARD_WHY_MAX, "%s:%zu: %s", source, fault.line, fault.why);
    if (!err)
        err = check(source, &card, why);
    if (err)
        region_fini(&card.region);
    else
        *out = card;
    return err;
}

/* REGION_FIELDS when there is none of that name. */
static enum region_field find_field(const char *key)
{
    enum region_field field = REGION_NAME;

    while (field < REGION_FIELDS && strcmp(region_field_name(field), key) != 0)
        field++;
    return field;
}

/* NULL when what is given is of the right shape for the field. */
static const char *find_mismatch(const struct region_card *card, enum region_field field,
                                 const struct document_setting *given)
{
    bool is_list = given->kind == DOCUMENT_LIST;

    if (field == REGION_FIELDS)
        return "unknown key";
    if (card->lines[field] > 0)
        return "is given twice";
    if (given->kind == DOCUMENT_NOTHING)
        return "has no value";
    if (is_list != (field == REGION_JURISDICTIONS))
        return is_list ? "expected one value, not a list" : "expected a list such as [a, b]";
    return NULL;
}

/* NULL, or what was expected. */
static const char *set_field(struct region *region, enum region_field field,
                             const struct text_list *items)
{
    const char *text = items->count > 0 ? items->items[0] : "";
    uint32_t ordinal;

    switch (field) {
    case REGION_NAME:
        if (!region_name_is_valid(text))
            return REGION_NAME_WANTED;
        snprintf(region->name, sizeof region->name, "%s", text);
        break;
    case REGION_ORDINAL:
        if (!number_parse(text, 1, REGION_ORDINAL_MAX, &ordinal))
            return "expected a whole number from 1 to 255";
        region->ordinal = (uint8_t)ordinal;
        break;
    case REGION_JURISDICTIONS:
        region->jurisdictions = text_list_copy(items);
        break;
    case REGION_LATITUDE:
        if (!number_parse_degrees(text, 90, &region->place.latitude))
            return "expected degrees from -90 to 90";
        break;
    case REGION_LONGITUDE:
        if (!number_parse_degrees(text, 180, &region->place.longitude))
            return "expected degrees from -180 to 180";
        break;
    case REGION_PUBLIC_URL:
        region->public_url = xstrdup(text);
        break;
    case REGION_LINK_URL:
        region->link_url = xstrdup(text);
        break;
    case REGION_CERTIFICATE:
        region->certificate_pem = xstrdup(text);
        break;
    case REGION_FIELDS:
        break;
    }
    return NULL;
}

static enum err on_setting(const struct document_setting *given, void *ctx)
{
    struct reading *reading = ctx;
    enum region_field field = find_field(given->key);
    const char *what = find_mismatch(reading->card, field, given);

    if (!what)
        what = set_field(&reading->card->region, field, &given->items);
    if (what) {
        explain(reading->why, REGION_CARD_WHY_MAX, "%s:%zu: %s: %s", reading->source,
                given->line, given->key, what);
        return ERR_INVALID;
    }
    reading->card->lines[field] = given->line;
    return ERR_OK;
}

/* A field that a card can't be without; REGION_FIELDS when it has them all. */
static enum region_field find_missing(const struct region_card *card)
{
    static const enum region_field needed[] = { REGION_NAME, REGION_ORDINAL,
                                                REGION_JURISDICTIONS, REGION_CERTIFICATE };
    bool has_latitude = card->lines[REGION_LATITUDE] > 0;
    bool has_longitude = card->lines[REGION_LONGITUDE] > 0;

    for (size_t i = 0; i < COUNT(needed); i++)
        if (card->lines[needed[i]] == 0)
            return needed[i];
    if (has_latitude != has_longitude)
        return has_latitude ? REGION_LONGITUDE : REGION_LATITUDE;
    return REGION_FIELDS;
}

static enum err check(const char *source, struct region_card *card, char *why)
{
    struct topology_fault fault = { .field = find_missing(card), .why = "is missing" };
    enum err err = ERR_INVALID;

    if (fault.field == REGION_FIELDS) {
        card->region.has_place = card->lines[REGION_LATITUDE] > 0;
        err = region_check(&card->region, &fault);
    }
    if (err)
        region_card_explain(source, card, &fault, why);
    return err;
}

void region_card_explain(const char *source, const struct region_card *card,
                         const struct topology_fault *fault, char why[REGION_CARD_WHY_MAX])
{
    const char *field = region_field_name(fault->field);
    size_t line = card->lines[fault->field];

    if (line > 0)
        explain(why, REGION_CARD_WHY_MAX, "%s:%zu: %s: %s", source, line, field, fault->why);
    else
        explain(why, REGION_CARD_WHY_MAX, "%s: %s: %s", source, field, fault->why);
}

static enum err write_text(const char *name, const char *text, struct buf *out)
{
    enum err err = ERR_OK;

    if (!text)
        return ERR_OK;
    err = buf_printf(out, "%s: ", name);
    if (!err)
        err = document_append_scalar(text, out);
    return err ? err : buf_append_text(out, "\n");
}

static enum err write_jurisdictions(const struct text_list *names, struct buf *out)
{
    enum err err = buf_append_text(out, "jurisdictions: [");

    for (size_t i = 0; i < names->count && !err; i++) {
        err = buf_append_text(out, i > 0 ? ", " : "");
        if (!err)
            err = document_append_scalar(names->items[i], out);
    }
    return err ? err : buf_append_text(out, "]\n");
}

static enum err write_place(const struct region *region, struct buf *out)
{
    char latitude[NUMBER_DEGREES_MAX], longitude[NUMBER_DEGREES_MAX];

    if (!region->has_place)
        return ERR_OK;
    number_format_degrees(region->place.latitude, latitude);
    number_format_degrees(region->place.longitude, longitude);
    return buf_printf(out, "latitude: %s\nlongitude: %s\n", latitude, longitude);
}

/* A literal block. */
static enum err write_certificate(const char *pem, struct buf *out)
{
    enum err err = buf_append_text(out, "certificate: |\n");

    while (*pem && !err) {
        size_t len = strcspn(pem, "\n");

        err = buf_printf(out, "  %.*s\n", (int)len, pem);
        pem += len + (pem[len] == '\n');
    }
    return err;
}

enum err region_card_write(const struct region *region, struct buf *out)
{
    enum err err = write_text("name", region->name, out);

    if (!err)
        err = buf_printf(out, "ordinal: %u\n", region->ordinal);
    if (!err)
        err = write_jurisdictions(&region->jurisdictions, out);
    if (!err)
        err = write_place(region, out);
    if (!err)
        err = write_text("public_url", region->public_url, out);
    if (!err)
        err = write_text("link_url", region->link_url, out);
    return err ? err : write_certificate(region->certificate_pem, out);
}
