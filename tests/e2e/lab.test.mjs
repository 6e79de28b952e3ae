// The lab: its tour, and what is done to it from another terminal.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { posthaste } from './lib/dispatcher.mjs';

const base = mkdtempSync(join(tmpdir(), 'posthaste-lab-'));
const names = ['fra', 'iad', 'sin', 'gru'];

after(() => rmSync(base, { recursive: true, force: true }));

class Lab {
    constructor(dir, ...args) {
        this.dir = join(base, dir);
        this.output = '';
        this.waiting = [];
        this.process = this.spawn(['lab', '--dir', this.dir, ...args]);
        this.ended = once(this.process, 'exit').then(([code, signal]) => code ?? signal);
        for (const stream of [this.process.stdout, this.process.stderr])
            stream.setEncoding('utf8').on('data', text => this.#heard(text));
    }

    spawn(args) {
        return spawn(posthaste, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    }

    #heard(text) {
        this.output += text;
        this.waiting = this.waiting.filter(({ words, resolve }) => !this.output.includes(words) || (resolve(), false));
    }

    // Until it has said this; an early end is an error.
    said(words) {
        if (this.output.includes(words)) return undefined;
        const said = new Promise(resolve => this.waiting.push({ words, resolve }));
        const ended = this.ended.then(status => { throw new Error(`the lab ended with ${status}:\n${this.output}`); });
        ended.catch(() => {});
        return Promise.race([said, ended]);
    }

    // A command of another terminal's.
    order(...words) {
        return spawnSync(posthaste, ['lab', ...words, '--dir', this.dir], { encoding: 'utf8' });
    }

    // In its folder, as the lab's own are run.
    run(...args) {
        return execFileSync(posthaste, args, { cwd: this.dir, encoding: 'utf8' });
    }

    status() {
        const [, ...lines] = this.order('status').stdout.trim().split('\n');
        return Object.fromEntries(lines.map(line => {
            const [name, process, pid, network] = line.split(/ {2,}/);
            return [name, { process, pid: Number(pid), network, api: /http:\/\/([^ ]+):8071/.exec(line)[1] }];
        }));
    }
}

// The same on a terminal, whose keys are what is written to its stdin. The shell makes way for it: one
// that waited would die of the Ctrl-C too, and its end would be what is seen.
class LabOnTerminal extends Lab {
    spawn(args) {
        const command = ['exec', ...[posthaste, ...args].map(arg => `'${arg}'`)].join(' ');
        return spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] });
    }
}

// Which of these processes there are; one that has ended and that nobody asks about isn't.
function running(pids) {
    return pids.filter(pid => {
        try {
            return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
        } catch {
            return false;
        }
    });
}

// Resolves once nobody listens there.
function refused(address, port) {
    return new Promise((resolve, reject) => {
        const socket = connect(port, address, () => reject(new Error(`${address}:${port} is still open`)));
        socket.on('error', error => error.code === 'ECONNREFUSED' ? resolve() : reject(error));
    });
}

// Whoever may have a port can bind it.
async function bindable(address, port) {
    const socket = createSocket('udp4').bind(port, address);
    await once(socket, 'listening');
    socket.close();
}

test('the tour shows and checks five steps, and leaves nothing', async () => {
    const lab = new Lab('tour', '--tour');
    assert.equal(await lab.ended, 0, lab.output);
    for (const step of ['1 ', '2 ', '3 ', '4 ', '5 ']) assert.match(lab.output, new RegExp(`^${step}`, 'm'));
    assert.match(lab.output, /^\$ posthaste lab kill fra/m);
    assert.equal(existsSync(lab.dir), false);
});

test('its steps wait for a key', async () => {
    const lab = new Lab('keys');
    await lab.said('\n1  ');
    assert.equal(lab.output.includes('$ posthaste app'), false);
    lab.process.stdin.write(' ');
    await lab.said('\n2  ');
    assert.equal(lab.output.includes('\n3  '), false);
    assert.equal(lab.output.includes('message get'), false);
    lab.process.kill('SIGINT');
    assert.equal(await lab.ended, 0);
    assert.equal(existsSync(lab.dir), false);
});

test('on a terminal a key needs no Enter, and Ctrl-C ends all', async () => {
    const lab = new LabOnTerminal('terminal');
    await lab.said('\n1  ');
    const pids = Object.values(lab.status()).map(({ pid }) => pid);
    lab.process.stdin.write('x');
    await lab.said('\n2  ');
    lab.process.stdin.write('\x03');
    assert.equal(await lab.ended, 0, lab.output);
    assert.deepEqual(running(pids), []);
    assert.equal(existsSync(lab.dir), false);
});

test('what a lab cannot be is said, with the reason', () => {
    const rows = [
        [['--regions', 'fra'], 2, /--regions: a lab has at least 2 regions/],
        [['--regions', 'fra,xyz'], 2, /--regions: 'xyz' isn't a place that we know/],
        [['--regions', 'fra,iad', '--tour'], 2, /--tour: it is about fra, iad, sin and gru/],
        [['--dir', base], 1, /is there and isn't a lab's/],
        [['status', '--dir', join(base, 'none')], 5, /no lab runs there; start one with posthaste lab/],
        [['cut', '--dir', join(base, 'none')], 2, /REGION is missing/],
    ];
    for (const [args, status, words] of rows) {
        const result = spawnSync(posthaste, ['lab', ...args], { encoding: 'utf8' });
        assert.equal(result.status, status, args.join(' '));
        assert.match(result.stderr, words);
    }
});

test('from another terminal regions are cut off, joined, killed and started', async t => {
    const lab = new Lab('orders');
    t.after(() => {
        lab.process.kill('SIGINT');
        return lab.ended;
    });
    await lab.said('\n1  ');

    const refusals = [
        [['cut', 'xyz'], 3, "'xyz' is no region of this lab"],
        [['start', 'fra'], 1, 'fra runs already'],
    ];
    for (const [words, status, text] of refusals) {
        const result = lab.order(...words);
        assert.equal(result.status, status);
        assert.equal(result.stderr, `posthaste: ${text}\n`);
    }

    assert.equal(lab.order('cut', 'sin').stdout, 'sin is cut off from the others\n');
    assert.equal(lab.status().sin.network, 'cut off');
    assert.equal(lab.order('heal', 'sin').stdout, 'sin is joined with the others\n');
    assert.equal(lab.status().sin.network, 'joined');

    const { pid } = lab.status().gru;
    assert.deepEqual(running([pid]), [pid]);
    assert.equal(lab.order('kill', 'gru').stdout, 'gru is down\n');
    assert.deepEqual(running([pid]), []);
    assert.equal(lab.status().gru.process, 'down');
    assert.equal(lab.order('kill', 'gru').stderr, "posthaste: gru doesn't run\n");
    assert.equal(lab.order('start', 'gru').stdout, 'gru serves\n');
    assert.equal(lab.status().gru.process, 'serves');

    // A region's own word for how far the others are: at least what light needs, as the lab says.
    const seen = lab.run('region', 'status', '--config', 'iad/posthaste.yaml', '-o', 'jsonl');
    const rtt = Object.fromEntries(seen.trim().split('\n').map(JSON.parse).map(({ name, rttUs }) => [name, rttUs]));
    assert.ok(rtt.fra >= 92_000, `${rtt.fra}`);
    assert.ok(rtt.sin >= 222_000, `${rtt.sin}`);

    const second = lab.order();
    assert.equal(second.status, 1);
    assert.match(second.stderr, /a lab runs there/);
});

test('whatever ends it, no process, socket or directory is left', async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
        const lab = new Lab('ended');
        await lab.said('\n1  ');
        const regions = Object.values(lab.status());
        assert.equal(running(regions.map(({ pid }) => pid)).length, names.length);
        lab.process.kill(signal);
        assert.equal(await lab.ended, 0, lab.output);
        assert.deepEqual(running(regions.map(({ pid }) => pid)), []);
        for (const { api } of regions) {
            for (const port of [8071, 8443, 9000]) await refused(api, port);
            await bindable(api, 5300);
        }
        assert.equal(existsSync(lab.dir), false);
    }
    assert.deepEqual(readdirSync(base), []);
});

test('a lab that is killed takes its regions along, and the next one removes its directory', async () => {
    const lab = new Lab('killed');
    await lab.said('\n1  ');
    const pids = Object.values(lab.status()).map(({ pid }) => pid);
    lab.process.kill('SIGKILL');
    await lab.ended;
    assert.equal(existsSync(join(lab.dir, 'fra')), true);
    const next = new Lab('killed', '--regions', 'nrt,syd');
    await next.said('Ctrl-C ends');
    assert.deepEqual(running(pids), []);
    assert.equal(existsSync(join(lab.dir, 'fra')), false);
    next.process.kill('SIGINT');
    assert.equal(await next.ended, 0);
});

test('two labs do not meet', async () => {
    const [one, other] = [new Lab('one', '--regions', 'fra,iad'), new Lab('other', '--regions', 'fra,iad')];
    for (const lab of [one, other]) await lab.said('Ctrl-C ends');
    assert.notEqual(one.status().fra.api, other.status().fra.api);
    for (const lab of [one, other]) {
        lab.process.kill('SIGINT');
        assert.equal(await lab.ended, 0);
    }
});
