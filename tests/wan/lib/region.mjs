// A real region at a site: `posthaste serve` with its own directory, driven as its operator and its callers would.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Dispatcher, posthaste } from '../../e2e/lib/dispatcher.mjs';
import { clockedBy, setClockFile } from '../../e2e/lib/faketime.mjs';

const run = promisify(execFile);
const port = 8071;
export const link_port = 8443;

// What `posthaste init` is told of a region that will be one of several at this site. Its tokens are those of the
// region that `token_key` is from.
export function identity({ name, address }, token_key) {
    return ['--region', name, '--public-url', `http://${address}:${port}`,
        '--link-listen', `${address}:${link_port}`, '--link-url', `https://${address}:${link_port}`,
        ...(token_key ? ['--token-key', token_key] : [])];
}

export class WanRegion extends Dispatcher {
    // `clock` is what its wall clock is off by, as faketime says it: '+90s'. `on_death` is told when it ends unasked.
    constructor(wan, name, { clock, on_death = () => {}, ...options } = {}) {
        const site = wan.sites[name];
        const base = join(wan.dir, name);
        mkdirSync(base);
        super({ base, address: site.address, port, subnet: '198.18.0.0/15', ...options });
        this.wan = wan;
        this.name = name;
        this.site = site;       // whose callers call() is
        this.clock = clock;
        this.on_death = on_death;
        this.stderr = join(base, 'stderr.log');
        this.env.POSTHASTE_CONFIG = this.config;
        this.env.POSTHASTE_URL = `http://${site.address}:${port}`;
        writeFileSync(this.stderr, '');
    }

    async start() {
        this.wrapper = [...this.site.inside, ...this.#skewed()];
        this.asked_to_end = false;
        await super.start();
        this.exited.then(([code, signal]) => {
            if (!this.asked_to_end)
                this.on_death(new Error(`${this.name} ended unasked: ${code ?? signal}\n${this.tail(20)}`));
        });
        return this;
    }

    // Another wall clock.
    #skewed() {
        if (this.clock === undefined) return [];
        this.setClock(this.clock);
        return clockedBy(this.#clockFile());
    }

    #clockFile() {
        return join(this.base, 'clock');
    }

    // For one that was started with a clock.
    setClock(offset) {
        this.clock = offset;
        setClockFile(this.#clockFile(), offset);
    }

    heard(line) {
        appendFileSync(this.stderr, `${line}\n`);
        super.heard(line);
    }

    // Its last lines.
    tail(count) {
        return this.logs.slice(-count).map(line => `    ${this.name}: ${line}`).join('\n');
    }

    isRunning() {
        return this.process !== undefined && this.process.exitCode === null && this.process.signalCode === null;
    }

    kill() {
        this.asked_to_end = true;
        return super.kill();
    }

    stop() {
        this.asked_to_end = true;
        return super.stop();
    }

    fetch(url, options) {
        return this.site.fetch(url, { ...this.caller, ...options });
    }

    // The same region, called from another site; `caller` is what its requests have in common.
    from(name, caller = {}) {
        return Object.create(this, { site: { value: this.wan.sites[name] }, caller: { value: caller } });
    }

    // A command of the operator's, at the region's site; what it prints.
    command(...args) {
        return this.commandWith('', ...args);
    }

    // The same, with something to read.
    async commandWith(input, ...args) {
        const [program, ...rest] = [...this.site.inside, posthaste, ...args];
        const child = spawn(program, rest, { env: this.env });
        child.stdin.on('error', () => {}).end(input);       // it needn't read it
        const out = { stdout: '', stderr: '' };
        for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', text => (out[name] += text));
        const [code] = await once(child, 'close');
        if (code !== 0) throw new Error(`${this.name}: posthaste ${args.join(' ')}: ${code}\n${out.stderr}`);
        return out.stdout;
    }

    // How many messages and deliveries lie in its database, and how many of them are delivered.
    async outbox() {
        const counts = 'SELECT (SELECT count(*) FROM messages) AS messages, count(*) AS deliveries,' +
            ' count(*) FILTER (WHERE state = 1) AS delivered FROM deliveries';
        const { stdout } = await run('sqlite3', ['-readonly', '-json', join(this.dir, 'data', 'regional.db'), counts]);
        return JSON.parse(stdout)[0];
    }

    // The decisions which region sends that it has recorded, the oldest first.
    async decisions() {
        const codes = 'SELECT CAST(code AS TEXT) FROM routes ORDER BY key';
        const { stdout } = await run('sqlite3', ['-readonly', join(this.dir, 'data', 'regional.db'), codes]);
        return stdout.trim().split('\n').map(code => JSON.parse(code));
    }

    // What other regions know of this one.
    card() {
        return this.command('region', 'certificate', 'show');
    }

    // Know another region from the next start on.
    async meet(other) {
        await this.commandWith(await other.card(), 'region', 'add', '-');
    }

    // What it shows on its link.
    get identity_files() {
        return { certificate: join(this.dir, 'link.crt'), key: join(this.dir, 'link.key') };
    }

    // Where its tokens' key is, for `identity` of another.
    get token_key() {
        return join(this.dir, 'token.key');
    }
}
