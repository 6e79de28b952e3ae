// Canaries: words that nobody else says, sung by a test, and looked for where they may not be.
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { addressesOf } from './memory.mjs';

// The characters of base64 that depend on `bytes` alone, with so many bytes before them in the stream.
function base64Core(bytes, before, encoding) {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding);
    return text.slice(Math.ceil(before * 8 / 6), Math.floor((before + bytes.length) * 8 / 6));
}

// How a text may lie in a file or pass on a wire, without a key: [name, bytes].
export function forms(text) {
    const bytes = Buffer.from(text);
    const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16).padStart(4, '0'));
    const all = [
        ['raw', text],
        ['JSON', JSON.stringify(text).slice(1, -1)],
        ['JSON \\u', units.map(unit => `\\u${unit}`).join('')],
        ['URL', encodeURIComponent(text)],
        ['hex', bytes.toString('hex')],
        ['HEX', bytes.toString('hex').toUpperCase()],
        ...[0, 1, 2].flatMap(before => ['base64', 'base64url'].map(encoding =>
            [`${encoding} at ${before}`, base64Core(bytes, before, encoding)])),
    ];
    const isFirst = ([, form], i) => all.findIndex(([, other]) => other === form) === i;
    return all.filter(isFirst).map(([name, form]) => [name, Buffer.from(form)]);
}

export class Canary {
    // The names of the regions that may store it and, if not all, of those that may have it in memory; the directions,
    // 'fra>sin', that it may take in clear.
    constructor({ stored = [], memory, clear = [], text = `canary-${randomBytes(10).toString('hex')}` } = {}) {
        this.text = text;
        this.stored = stored;
        this.memory = memory;
        this.clear = clear;
        this.forms = forms(text);
        this.patterns = new Map();      // by the number that wanem knows it by
    }

    async watch(wan) {
        for (const [name, bytes] of this.forms) this.patterns.set(await wan.watch(bytes), name);
        return this;
    }
}

function* filesBelow(path) {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
        const below = join(path, entry.name);
        if (entry.isDirectory()) yield* filesBelow(below);
        else if (entry.isFile()) yield below;
    }
}

// One may go between the listing and the reading.
function read(file) {
    try {
        return readFileSync(file);
    } catch (error) {
        if (error.code === 'ENOENT') return Buffer.alloc(0);
        throw error;
    }
}

function inFiles(path, canaries) {
    const found = [];
    for (const file of filesBelow(path)) {
        const bytes = read(file);
        for (const { text, forms } of canaries)
            for (const [name, form] of forms) {
                const offset = bytes.indexOf(form);
                if (offset >= 0) found.push(`${file} holds ${text} (${name}) at byte ${offset}`);
            }
    }
    return found;
}

function inMemory(region, canaries) {
    const watched = canaries.flatMap(({ text, forms }) => forms.map(([name, form]) => ({ text, name, form })));
    if (watched.length === 0) return [];
    const addresses = addressesOf(region.process.pid, watched.map(({ form }) => form));
    return watched.map(({ text, name }, i) => ({ text, name, address: addresses[i] }))
        .filter(({ address }) => address !== undefined)
        .map(({ text, name, address }) => `the memory of ${region.name} holds ${text} (${name}) at 0x${address.toString(16)}`);
}

// Where canaries are and may not be: in whatever a region has written, in the memory of those that run, on the wire in
// clear. One line for each.
export async function leaks(wan, regions, canaries) {
    const found = regions.flatMap(region =>
        inFiles(region.base, canaries.filter(({ stored }) => !stored.includes(region.name))));
    for (const region of regions.filter(region => region.isRunning()))
        found.push(...inMemory(region, canaries.filter(({ memory }) => memory && !memory.includes(region.name))));
    for (const { direction, pattern, count } of await wan.hits())
        for (const { text, clear, patterns } of canaries)
            if (patterns.has(pattern) && !clear.includes(direction))
                found.push(`the wire ${direction} carried ${text} (${patterns.get(pattern)}) in clear, ${count} times`);
    return found;
}
