// Another wall clock for a process; the monotonic one stays.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';

function library() {
    for (const machine of readdirSync('/usr/lib')) {
        const path = `/usr/lib/${machine}/faketime/libfaketimeMT.so.1`;
        if (existsSync(path)) return path;
    }
    throw new Error('libfaketime is not installed: script/bootstrap test installs it');
}

// What to run it by. It reads the file again each second.
export function clockedBy(file) {
    return ['env', `LD_PRELOAD=${library()}`, `FAKETIME_TIMESTAMP_FILE=${file}`, 'FAKETIME_CACHE_DURATION=1',
        'FAKETIME_DONT_FAKE_MONOTONIC=1', 'NO_FAKE_STAT=1',
        `ASAN_OPTIONS=verify_asan_link_order=0:${process.env.ASAN_OPTIONS ?? ''}`];
}

// `offset` as faketime says it: '+90s'.
export function setClockFile(file, offset) {
    writeFileSync(file, `${offset}\n`);
}
