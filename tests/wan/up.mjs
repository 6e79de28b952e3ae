// The WAN with a region at each site, to play with: what you type goes to wanem (command.h), the end of input or Ctrl-C
// takes everything away.
//
//     POSTHASTE=$PWD/build/asan/posthaste tests/wan/enter node tests/wan/up.mjs [REGION...]
import { createInterface } from 'node:readline';
import { posthaste } from '../e2e/lib/dispatcher.mjs';
import { WanRegion } from './lib/region.mjs';
import { regions, Wan } from './lib/wan.mjs';

const wan = await new Wan().up();
const on_death = error => console.error(error.message);
const running = (process.argv.length > 2 ? process.argv.slice(2) : regions).map(name => new WanRegion(wan, name, { on_death }));
await Promise.all(running.map(region => region.start()));

console.log('At a site, for example in a second terminal:\n');
for (const { name, site, url, config } of running)
    console.log(`    # ${name}\n    export POSTHASTE_CONFIG=${config} POSTHASTE_URL=${url}\n    ${site.inside.join(' ')} ${posthaste} status\n`);
console.log(`Logs: ${wan.dir}/*/stderr.log\nHere: show, rtt fra sin 162 5, cut fra sin, cut1 fra sin, loss fra sin 2, rate fra sin 20, heal\n`);

for await (const line of createInterface({ input: process.stdin })) {
    const words = line.split(' ').filter(Boolean);
    if (words.length === 0) continue;
    await wan.tell(...words).then(lines => console.log([...lines, 'ok'].join('\n')), error => console.log(error.message));
}
await Promise.all(running.map(region => region.stop()));
await wan.down();
