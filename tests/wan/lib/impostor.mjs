// Somebody else at a region's link: it says hello as it likes, with the certificate of whom it likes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { fileURLToPath } from 'node:url';
import { link_port } from './region.mjs';

// At the site of `region`, which has been stopped, until the test ends: shows the certificate of `as` and answers
// nothing but a hello. `asked.count` is how often it was asked for something.
export async function impostor(t, region, hello, as = region) {
    const [program, ...args] = [...region.site.inside, process.execPath, fileURLToPath(import.meta.url)];
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const asked = { count: 0 };
    t.after(async () => {
        child.disconnect();
        await once(child, 'exit');
    });
    child.on('message', message => (asked.count += message.asked ?? 0));
    child.send({ hello, address: region.site.address, port: link_port, ...as.identity_files });
    await once(child, 'message');
    return { asked };
}

function serve({ hello, address, port, certificate, key }) {
    const server = https.createServer({
        cert: readFileSync(certificate), key: readFileSync(key),
        minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false,
    }, ({ url }, response) => {
        process.send({ asked: 1 });
        if (url === '/link/v1/hello') response.end(JSON.stringify(hello));
        else response.writeHead(404).end();
    });
    server.listen(port, address, () => process.send({ ready: true }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    process.once('message', serve);
    process.on('disconnect', () => process.exit());
}
