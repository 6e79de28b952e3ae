#include "wire/header.h"

#include <stdbool.h>
#include <string.h>

/* isalnum() would ask the locale. */
static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

size_t header_name_length(const char *text)
{
    size_t len = 0;

    while (is_token_char(text[len]))
        len++;
    return len;
}
