// The published svix clients, both majors: what they have, and what a test has called of it.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { checkedFetch } from './dispatcher.mjs';

globalThis.crypto ??= webcrypto;     // the clients want it; Node 18 has it elsewhere
const require = createRequire(import.meta.url);

export const majors = [
    { name: 'svix 1', major: 1, library: require('svix') },
    { name: 'svix 2', major: 2, library: await import('svix-2') },
];

// Tests speak as 2.x does; these are what 1.x has for it.
const EARLIER = { upsert: 'update', setHeaders: 'updateHeaders' };

// Every method, as "endpoint.getSecret".
export function methodsOf(part, path = []) {
    const names = [...Object.keys(part), ...Object.getOwnPropertyNames(Object.getPrototypeOf(part))];
    return names.filter(name => name !== 'constructor' && name !== 'requestCtx').flatMap(name => {
        const at = [...path, name];
        return typeof part[name] === 'function' ? at.join('.') : methodsOf(part[name], at);
    });
}

// What the declarations say that an interface has: `interfaces(major).get('EndpointIn')` are the names of its members.
export function interfaces({ major }) {
    const at = join(dirname(require.resolve(`${major === 1 ? 'svix' : 'svix-2'}/package.json`)), 'dist');
    const files = readdirSync(at, { recursive: true }).filter(name => /\.d\.m?ts$/.test(name));
    const text = files.map(name => readFileSync(join(at, name), 'utf8').replace(/\/\*.*?\*\//gs, '')).join('\n');
    return new Map([...text.matchAll(/interface (\w+) \{\n(.*?)\n\}/gs)].map(([, name, body]) =>
        [name, [...body.matchAll(/^ {2}(?: {2})?(\w+)\??:/gm)].map(([, member]) => member)]));
}

// As `part`, but what is called of it is noted.
function watched(part, called, path = []) {
    return new Proxy(part, {
        get(target, wanted) {
            const name = wanted in target ? wanted : EARLIER[wanted] ?? wanted;
            const value = target[name];
            const at = [...path, name];
            if (typeof value === 'function')
                return (...args) => {
                    called.add(at.join('.'));
                    return value.apply(target, args);
                };
            return value === undefined ? value : watched(value, called, at);
        },
    });
}

// As checkedFetch(), but a POST goes twice, as if its first answer had been lost. The second must be the same.
async function repeatedFetch(url, options) {
    const first = await checkedFetch(url, options);
    if (options.method !== 'POST' || String(url).endsWith('/auth/logout')) return first;      // then its token is void
    assert.ok(new Headers(options.headers).has('idempotency-key'));
    const again = await checkedFetch(url, options);
    assert.deepEqual([again.status, await again.clone().text()], [first.status, await first.text()], url);
    return again;
}

// A client of `library` for the dispatcher `d`; what is called of it goes into `called`. Every answer must be the contract's,
// and every POST bear to be repeated.
export function client({ library }, d, { token = d.token, called = new Set() } = {}) {
    return watched(new library.Svix(token, { serverUrl: d.url, fetch: repeatedFetch }), called);
}

// What a call comes to, be it an error.
export async function outcome(call) {
    try {
        return { code: 200, body: await call() };
    } catch (error) {
        if (error.code === undefined || error.body === undefined) throw error;
        return { code: error.code, body: error.body };
    }
}
