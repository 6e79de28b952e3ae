/* Bundle: YAML files become one JSON document; runs while posthaste is built.
 *
 *     bundle api/openapi/openapi.yaml api/openapi/messages.yaml … >openapi.json
 *
 * Every file is a mapping, and the document is their union, at every depth, in the order of the
 * files. What is said twice is an error, unless both are mappings. A plain scalar that JSON knows
 * (12, true, null) is that; all else is text, and so are keys. */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct part {
    const char *path;
    yaml_document_t tree;
};

static json_t *read_node(struct part *part, const yaml_node_t *node);

static void refuse(const struct part *part, size_t line, const char *why, const char *what)
{
    fprintf(stderr, "%s:%zu: %s%s\n", part->path, line + 1, why, what);
    exit(1);
}

static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static json_t *read_scalar(const struct part *part, const yaml_node_t *node)
{
    bool is_plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    json_t *known =
        is_plain ? json_loadb(text_of(node), node->data.scalar.length, JSON_DECODE_ANY, NULL)
                 : NULL;
    json_t *value = known ? known : json_stringn(text_of(node), node->data.scalar.length);

    if (!value)
        refuse(part, node->start_mark.line, "no UTF-8", "");
    return value;
}

static json_t *read_list(struct part *part, const yaml_node_t *node)
{
    json_t *list = json_array();

    for (const yaml_node_item_t *at = node->data.sequence.items.start;
         at < node->data.sequence.items.top; at++)
        json_array_append_new(list, read_node(part, yaml_document_get_node(&part->tree, *at)));
    return list;
}

/* Members of `node`, added to those that are there. */
static void add_members(struct part *part, const yaml_node_t *node, json_t *into)
{
    for (const yaml_node_pair_t *at = node->data.mapping.pairs.start;
         at < node->data.mapping.pairs.top; at++) {
        const yaml_node_t *key = yaml_document_get_node(&part->tree, at->key);
        const yaml_node_t *value = yaml_document_get_node(&part->tree, at->value);
        if (key->type != YAML_SCALAR_NODE)
            refuse(part, key->start_mark.line, "a key is a word", "");
        json_t *there = json_object_get(into, text_of(key));
        if (!there)
            json_object_set_new(into, text_of(key), read_node(part, value));
        else if (json_is_object(there) && value->type == YAML_MAPPING_NODE)
            add_members(part, value, there);
        else
            refuse(part, key->start_mark.line, "said twice: ", text_of(key));
    }
}

static json_t *read_node(struct part *part, const yaml_node_t *node)
{
    if (node->type == YAML_SCALAR_NODE)
        return read_scalar(part, node);
    if (node->type == YAML_SEQUENCE_NODE)
        return read_list(part, node);
    json_t *object = json_object();
    add_members(part, node, object);
    return object;
}

static void add_part(const char *path, json_t *document)
{
    struct part part = { .path = path };
    FILE *file = fopen(path, "rb");
    yaml_parser_t parser;

    if (!file) {
        perror(path);
        exit(1);
    }
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, file);
    if (!yaml_parser_load(&parser, &part.tree))
        refuse(&part, parser.problem_mark.line, parser.problem, "");
    const yaml_node_t *root = yaml_document_get_root_node(&part.tree);
    if (!root || root->type != YAML_MAPPING_NODE)
        refuse(&part, 0, "no mapping", "");
    add_members(&part, root, document);
    yaml_document_delete(&part.tree);
    yaml_parser_delete(&parser);
    fclose(file);
}

int main(int argc, char **argv)
{
    json_t *document = json_object();

    for (int i = 1; i < argc; i++)
        add_part(argv[i], document);
    bool failed = json_dumpf(document, stdout, JSON_COMPACT) || fflush(stdout);
    json_decref(document);
    return failed ? 1 : 0;
}
