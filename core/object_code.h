/* Object code: a configuration object as bytes, for the log of changes and for other regions.
 *
 *     field = tag (1 byte) | length (4, big-endian) | value
 *
 * Fields stand in the order of their tags, the first says the kind; a list has one for each item.
 * What is absent, zero or false isn't written, so an object has one code only. Numbers are 8 bytes
 * big-endian, text is UTF-8 without NUL. Tags from OBJECT_CODE_SECRET on are what only the regions
 * entitled to it may see; the code without those fields is the object's public code, the same in
 * every region.
 *
 * Decoding takes bytes from a peer: whatever is out of order, too long, of the wrong length, or no
 * object at all is refused. A field with a tag that we don't know is passed over: a newer version
 * may have written it.
 *
 * Pure; thread: any. */
#ifndef CORE_OBJECT_CODE_H
#define CORE_OBJECT_CODE_H

#include "core/buf.h"
#include "core/model.h"

#define OBJECT_CODE_MAX    ((size_t)1 << 20) /* bytes; what the API takes is less */
#define OBJECT_CODE_SECRET 0xc0

/* Append the code. ERR_LIMIT. */
MUST_USE enum err object_encode(const struct object *object, struct buf *out);

/* A new object, one reference. ERR_INVALID; ERR_VERSION: of a kind that we don't know. */
MUST_USE enum err object_decode(const void *code, size_t len, struct object **out);

/* How many bytes of a code, from its beginning, are its public code. All, of what is no code. */
size_t object_code_public(const void *code, size_t len);

/* The public part of `code` as it is, for a newer version may have written fields that we don't
 * know, with the secrets of `object` behind it; bytes_fini() it. ERR_LIMIT. */
MUST_USE enum err object_code_replace(const struct bytes *code, const struct object *object,
                                      struct bytes *out);

#endif
