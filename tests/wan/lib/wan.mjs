// A wide area network on one machine: sites that are network namespaces, joined by wanem.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { posthaste } from '../../e2e/lib/dispatcher.mjs';
import { Site } from './site.mjs';

const wanem = join(dirname(posthaste), 'tests', 'wanem');

// Round trips between Frankfurt, Virginia, Singapore and São Paulo, in milliseconds.
export const round_trips_ms = {
    'fra-iad': 92, 'fra-sin': 162, 'fra-gru': 205,
    'iad-sin': 222, 'iad-gru': 116, 'sin-gru': 328,
};
export const regions = ['fra', 'iad', 'sin', 'gru'];

// Names that say whose process made them, so that what a killed one left is found and taken away.
const namespace_pattern = /^posthaste-(\d+)-\d+-/;
const directory_pattern = /^posthaste-wan-(\d+)-/;

const up = new Set();
let made = 0;

process.on('exit', () => { for (const wan of up) wan.remove(); });
for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]])
    process.on(signal, () => process.exit(128 + number));

const ip = (...args) => execFileSync('ip', args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
const ipBatch = (lines, ...args) =>
    execFileSync('ip', [...args, '-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'pipe', 'pipe'] });

function must(condition, why) {
    if (!condition) throw new Error(`the WAN needs ${why}`);
}

function checkMachine() {
    must(process.getuid() === 0, 'root; tests/wan/enter makes you that in a namespace');
    must(existsSync('/dev/net/tun'), '/dev/net/tun; in a container: --device /dev/net/tun --cap-add NET_ADMIN,SYS_ADMIN');
    must(existsSync(wanem), `${wanem}: script/build builds it`);
}

function removeNamespace(name) {
    for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean)) {
        try {
            process.kill(Number(pid), 'SIGKILL');
        } catch {
            continue;       // it has ended by itself
        }
    }
    ip('netns', 'delete', name);
}

function isAlive(pid) {
    try {
        return process.kill(pid, 0);
    } catch (error) {
        return error.code === 'EPERM';
    }
}

// What runs left that were killed before they could clean up.
function removeStale() {
    const isStale = (name, pattern) => pattern.test(name) && !isAlive(Number(pattern.exec(name)[1]));
    if (existsSync('/run/netns'))
        for (const name of readdirSync('/run/netns').filter(x => isStale(x, namespace_pattern))) removeNamespace(name);
    for (const name of readdirSync(tmpdir()).filter(x => isStale(x, directory_pattern)))
        rmSync(join(tmpdir(), name), { recursive: true, force: true });
}

export class Wan {
    #replies = [];      // who waits for what wanem says, in order

    constructor({ sites = regions, delays = round_trips_ms } = {}) {
        this.delays = delays;
        this.number = ++made;
        this.sites = Object.fromEntries(sites.map((name, i) =>
            [name, new Site(name, `posthaste-${process.pid}-${this.number}-${name}`, `198.18.${i + 1}.1`)]));
    }

    async up() {
        checkMachine();
        removeStale();
        const sites = Object.values(this.sites);
        up.add(this);
        this.dir = mkdtempSync(join(tmpdir(), `posthaste-wan-${process.pid}-`));
        try {
            ipBatch(sites.map(({ namespace }) => `netns add ${namespace}`));
        } catch (error) {
            throw new Error(`the WAN needs network namespaces: ${String(error.stderr).trim()}`);
        }
        await this.#join(sites);
        for (const { namespace, address } of sites)
            ipBatch(['link set lo up', `address add ${address}/24 dev wan0`, 'link set wan0 up mtu 1500 txqueuelen 10000',
                'route add 198.18.0.0/15 dev wan0'], '-n', namespace);
        for (const [pair, ms] of Object.entries(this.delays)) {
            const [a, b] = pair.split('-');
            if (this.sites[a] && this.sites[b]) await this.rtt(a, b, ms);
        }
        await Promise.all(sites.map(site => site.start()));
        this.isUp = true;
        return this;
    }

    async #join(sites) {
        this.process = spawn(wanem, sites.map(({ name, namespace }) => `${name}=${namespace}`),
            { stdio: ['pipe', 'pipe', 'pipe'] });
        this.ended = once(this.process, 'close');
        this.process.stdin.on('error', () => {});       // it has ended, which is told below
        let complaint = '', lines = [];
        this.process.stderr.on('data', chunk => (complaint += chunk));
        const ready = new Promise((resolve, reject) => this.#replies.push({ resolve, reject }));
        createInterface({ input: this.process.stdout }).on('line', line => {
            const failed = line.startsWith('error: ');
            if (!failed && line !== 'ok' && line !== 'ready') {
                lines.push(line);
                return;
            }
            const { resolve, reject } = this.#replies.shift();
            if (failed) reject(new Error(`wanem: ${line}`));
            else resolve(lines);
            lines = [];
        });
        this.ended.then(([code, signal]) => {
            for (const { reject } of this.#replies)
                reject(new Error(`wanem ended: ${code ?? signal}\n${complaint}`));
        });
        await ready;
    }

    async down() {
        await this.stopSites();
        this.process?.stdin.end();
        const [code] = await this.ended ?? [0];
        this.remove();
        if (code !== 0) throw new Error(`wanem ended with ${code}`);
    }

    stopSites() {
        return Promise.all(Object.values(this.sites).map(site => site.stop()));
    }

    // Everything, at once and without waiting; again does nothing.
    remove() {
        if (!up.delete(this)) return;
        this.process?.kill('SIGKILL');
        const there = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
        for (const { namespace } of Object.values(this.sites))
            if (there.includes(namespace)) removeNamespace(namespace);
        rmSync(this.dir, { recursive: true, force: true });
    }

    // A command of wanem (command.h); the lines that it says.
    tell(...words) {
        this.process.stdin.write(`${words.join(' ')}\n`);
        return new Promise((resolve, reject) => this.#replies.push({ resolve, reject }));
    }

    rtt(a, b, ms, jitter_ms = 0) {
        return this.tell('rtt', a, b, ms, jitter_ms);
    }

    loss(a, b, percent) {
        return this.tell('loss', a, b, percent);
    }

    rate(a, b, mbit) {
        return this.tell('rate', a, b, mbit);
    }

    // Both ways; a site by itself is cut from all others.
    async cut(a, b) {
        const others = b ? [b] : Object.keys(this.sites).filter(name => name !== a);
        for (const other of others) await this.tell('cut', a, other);
    }

    // From a to b only.
    cut1(a, b) {
        return this.tell('cut1', a, b);
    }

    // Cuts and loss between two, or everywhere.
    heal(...pair) {
        return this.tell('heal', ...pair);
    }

    // Count these bytes in clear; the number by which hits() knows them.
    async watch(bytes) {
        const [number] = await this.tell('watch', bytes.toString('hex'));
        return Number(number);
    }

    // [{ direction: 'fra>sin', pattern, count }]
    async hits() {
        return (await this.tell('hits')).map(line => {
            const [direction, pattern, count] = line.split(' ');
            return { direction, pattern: Number(pattern), count: Number(count) };
        });
    }

    // { 'fra>sin': { delay_us, jitter_us, loss, rate_mbit, cut, packets, bytes, dropped } }
    async show() {
        return Object.fromEntries((await this.tell('show')).map(line => {
            const [direction, ...facts] = line.split(' ');
            return [direction, Object.fromEntries(facts.map(fact => {
                const [key, value] = fact.split('=');
                return [key, Number(value)];
            }))];
        }));
    }
}
