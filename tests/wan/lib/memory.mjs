// What a running process has in its memory.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const chunk_len = 4 << 20;
// Above it lie a sanitizer's shadows: terabytes, of which nothing is text.
const mapping_len_max = 512 << 20;

// [first, end) of what is writable.
function* mappings(pid) {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
        const [, first, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
        if (first && parseInt(end, 16) - parseInt(first, 16) <= mapping_len_max)
            yield [parseInt(first, 16), parseInt(end, 16)];
    }
}

// 0 where nothing can be read: a mapping that is gone, a guard page.
function readAt(fd, buffer, position, len) {
    try {
        return readSync(fd, buffer, 0, len, position);
    } catch (error) {
        if (error.code === 'EIO') return 0;
        throw error;
    }
}

// The address of the first of these bytes for each of `patterns`; undefined where there is none.
export function addressesOf(pid, patterns) {
    const found = patterns.map(() => undefined);
    const overlap = Math.max(...patterns.map(pattern => pattern.length)) - 1;
    const buffer = Buffer.alloc(chunk_len + overlap);
    const fd = openSync(`/proc/${pid}/mem`, 'r');
    try {
        for (const [first, end] of mappings(pid))
            for (let at = first; at < end; at += chunk_len) {
                const bytes = buffer.subarray(0, readAt(fd, buffer, at, Math.min(buffer.length, end - at)));
                for (const [i, pattern] of patterns.entries()) {
                    const offset = bytes.indexOf(pattern);
                    if (offset >= 0) found[i] ??= at + offset;
                }
            }
    } finally {
        closeSync(fd);
    }
    return found;
}
