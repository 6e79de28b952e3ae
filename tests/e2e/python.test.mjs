// The published Python clients, both majors: python/clients_test.py, which reads more strictly than the others.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { dispatcher } from './lib/dispatcher.mjs';

const here = new URL('.', import.meta.url).pathname;
const clients = new URL('../../build/python-clients', import.meta.url).pathname;
const skip = existsSync(`${clients}/installed`) ? false : 'tests/e2e/python/prepare has installed nothing';

for (const [major, path] of [[1, `${clients}/svix-1`], [2, '']])
    test(`svix ${major} of Python goes through every resource, and verifies what is delivered`, { skip }, async t => {
        const d = await dispatcher(t, { args: ['--retry-schedule', '3600'] });
        const env = {
            ...process.env, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1',
            POSTHASTE_URL: d.url, POSTHASTE_TOKEN: d.token, SVIX_MAJOR: String(major),
        };
        const { stderr } = await promisify(execFile)(`${clients}/bin/python`, [`${here}python/clients_test.py`], { env, timeout: 120_000 });
        assert.match(stderr, /Ran [1-9]\d* tests[^]*OK/);
    });
