// What a process costs, from /proc.
import { readFileSync, readdirSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export const program = name => new URL(`../build/release/bench/${name}`, import.meta.url).pathname;

// CPU of its threads so far, in microseconds by their names.
export function cpuOfThreads(pid) {
    const spent = {};
    for (const task of readdirSync(`/proc/${pid}/task`)) {
        const read = file => readFileSync(`/proc/${pid}/task/${task}/${file}`, 'utf8');
        const name = read('comm').trim();
        spent[name] = (spent[name] ?? 0) + Number(read('schedstat').split(' ')[0]) / 1000;
    }
    return spent;
}

export function residentMegabytes(pid) {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
    return Number(kilobytes) / 1024;
}

// Run a program that prints one JSON object.
export async function measure(program, ...args) {
    const child = spawn(program, args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', chunk => (text += chunk));
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${code}\n${text}`);
    return JSON.parse(text);
}

// System calls that a process makes while `work` runs; null where strace may not attach.
export async function systemCalls(pid, work) {
    const strace = spawn('strace', ['-c', '-f', '-q', '-p', pid], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    strace.stderr.on('data', chunk => (text += chunk));
    const ended = once(strace, 'close');
    while (!/TracerPid:\s+[1-9]/.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) {
        if (strace.exitCode !== null) return null;
        await new Promise(resolve => setImmediate(resolve));
    }
    await work();
    strace.kill('SIGINT');
    await ended;
    const total = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?total$/m.exec(text);
    return total ? Number(total[1]) : null;
}
