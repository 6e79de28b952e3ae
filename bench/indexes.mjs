// What each index and list costs: the same rows with it and without, in turns, for the machine's mood changes.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { measure, program } from './process.mjs';

const rounds = 5, group = 60, tenants = [1, 100];
const messages = Math.round(60_000 * Number(process.env.BENCH_SCALE ?? 1));
const migrations = new URL('../migrations/sqlite/regional/', import.meta.url);

// Those of the tables that every message writes, and the lists of their rows, by the last that was made or dropped of a name.
function indexes() {
    const text = readdirSync(migrations).sort().map(file => readFileSync(new URL(file, migrations), 'utf8')).join('');
    const names = new Set();
    const changes = /DROP INDEX (\w+)|CREATE (?:UNIQUE )?INDEX (\w+)\s+ON (?:messages|deliveries|attempts) |CREATE TABLE (\w+_listed) /g;
    for (const [, dropped, index, list] of text.matchAll(changes)) dropped ? names.delete(dropped) : names.add(index ?? list);
    return [...names];
}

async function cost(count, ...without) {
    const dir = mkdtempSync(join(process.env.BENCH_DIR ?? os.tmpdir(), 'posthaste-bench-'));
    try {
        return (await measure(program('sqlite_ceiling'), dir, messages, group, count, ...without)).cpu_us_per_message;
    } finally {
        rmSync(dir, { recursive: true });
    }
}

const median = values => values.sort((x, y) => x - y)[values.length >> 1];
const cells = (name, values) => console.log(`| ${[name.padEnd(22), ...values.map(us => `${us.toFixed(1)} µs`.padStart(11))].join(' | ')} |`);

const names = indexes();
const all = tenants.map(() => []), saved = new Map(names.map(name => [name, tenants.map(() => [])]));
for (let round = 0; round < rounds; round++)
    for (const [i, count] of tenants.entries())
        for (const name of names) {
            const withIt = await cost(count), without = await cost(count, name);
            all[i].push(withIt);
            saved.get(name)[i].push(withIt - without);
        }

console.log(`| ${'index or list'.padEnd(22)} | ${tenants.map(count => `${count} tenants`.replace('1 tenants', '1 tenant').padStart(11)).join(' | ')} |`);
console.log(`| ${'-'.repeat(22)} | ----------: | ----------: |`);
for (const name of names) cells(name, saved.get(name).map(median));
cells('a message in all', all.map(median));
