#include "wire/answer_head.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/count.h"

#define DIGITS_MAX 20 /* of a size_t */
#define NO_CONTENT 204

static const struct {
    unsigned status;
    const char *line;
} status_lines[] = {
    { 200, "HTTP/1.1 200 OK\r\n" },
    { 201, "HTTP/1.1 201 Created\r\n" },
    { 202, "HTTP/1.1 202 Accepted\r\n" },
    { 204, "HTTP/1.1 204 No Content\r\n" },
    { 400, "HTTP/1.1 400 Bad Request\r\n" },
    { 401, "HTTP/1.1 401 Unauthorized\r\n" },
    { 403, "HTTP/1.1 403 Forbidden\r\n" },
    { 404, "HTTP/1.1 404 Not Found\r\n" },
    { 405, "HTTP/1.1 405 Method Not Allowed\r\n" },
    { 408, "HTTP/1.1 408 Request Timeout\r\n" },
    { 409, "HTTP/1.1 409 Conflict\r\n" },
    { 413, "HTTP/1.1 413 Content Too Large\r\n" },
    { 414, "HTTP/1.1 414 URI Too Long\r\n" },
    { 422, "HTTP/1.1 422 Unprocessable Content\r\n" },
    { 429, "HTTP/1.1 429 Too Many Requests\r\n" },
    { 431, "HTTP/1.1 431 Request Header Fields Too Large\r\n" },
    { 500, "HTTP/1.1 500 Internal Server Error\r\n" },
    { 501, "HTTP/1.1 501 Not Implemented\r\n" },
    { 502, "HTTP/1.1 502 Bad Gateway\r\n" },
    { 503, "HTTP/1.1 503 Service Unavailable\r\n" },
    { 505, "HTTP/1.1 505 HTTP Version Not Supported\r\n" },
};

static const char *const connection_lines[] = {
    [ANSWER_STAYS] = "",
    [ANSWER_KEEPS] = "Connection: keep-alive\r\n",
    [ANSWER_CLOSES] = "Connection: close\r\n",
};

/* All of it is ours and small. */
static void put(struct buf *out, const char *bytes, size_t len)
{
    enum err err = buf_append(out, bytes, len);

    assert(!err);
    (void)err;
}

static void put_text(struct buf *out, const char *text)
{
    put(out, text, strlen(text));
}

static void put_number(struct buf *out, size_t number)
{
    char digits[DIGITS_MAX];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(out, digits + at, sizeof digits - at);
}

/* A status that we have no words for goes without (RFC 9112, section 4). */
static void put_status(struct buf *out, unsigned status)
{
    for (size_t i = 0; i < COUNT(status_lines); i++)
        if (status_lines[i].status == status) {
            put_text(out, status_lines[i].line);
            return;
        }
    put_text(out, "HTTP/1.1 ");
    put_number(out, status);
    put_text(out, " \r\n");
}

void answer_head_write(const struct answer_head *head, struct buf *out)
{
    put_status(out, head->status);
    put_text(out, "Date: ");
    put_text(out, head->date);
    if (head->body_len > 0) {
        put_text(out, "\r\nContent-Type: ");
        put_text(out, head->type ? head->type : "application/json");
    }
    if (head->status != NO_CONTENT) {
        put_text(out, "\r\nContent-Length: ");
        put_number(out, head->body_len);
    }
    put_text(out, "\r\n");
    put_text(out, connection_lines[head->connection]);
    put_text(out, head->lines);
    put_text(out, "\r\n");
}

/* strftime() would ask the locale. */
void answer_date(time_t wall_s, char out[ANSWER_DATE_MAX])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;

    gmtime_r(&wall_s, &tm);
    snprintf(out, ANSWER_DATE_MAX, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
             &days[3 * tm.tm_wday], tm.tm_mday, &months[3 * tm.tm_mon], tm.tm_year + 1900,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
}
