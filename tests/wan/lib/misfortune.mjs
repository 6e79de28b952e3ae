// Misfortune: links that are cut, healed and lossy, regions that are killed and start again, at random, and then all is well.
import { setTimeout as pause } from 'node:timers/promises';

const least_ms = 100, most_ms = 1500;       // between two of them

// A small generator, so that a seed repeats what happens (Numerical Recipes' LCG).
export function dice(seed) {
    let state = seed % 2 ** 32;
    const random = () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
    random.one = list => list[Math.floor(random() * list.length)];
    return random;
}

function pair(stage, random) {
    const names = Object.keys(stage.wan.sites);
    const one = random.one(names);
    return [one, random.one(names.filter(name => name !== one))];
}

const blows = {
    cut: (stage, random) => stage.wan.cut(...pair(stage, random)),
    cut1: (stage, random) => stage.wan.cut1(...pair(stage, random)),
    isolate: (stage, random) => stage.wan.cut(pair(stage, random)[0]),
    loss: (stage, random) => stage.wan.loss(...pair(stage, random), 1 + Math.floor(random() * 20)),
    heal: stage => stage.wan.heal(),
    kill: async (stage, random) => {
        const region = random.one(stage.regions);
        await region.kill();
        await region.start();
    },
};
// A heal among them as often as not: most of the time something is broken, seldom everything.
const deck = ['cut', 'cut1', 'isolate', 'loss', 'kill', 'kill', 'heal', 'heal', 'heal', 'heal'];

// For so many seconds; how often each befell.
export async function misfortune(stage, { seconds, random }) {
    const befell = Object.fromEntries(Object.keys(blows).map(name => [name, 0]));
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
        const name = random.one(deck);
        await blows[name](stage, random);
        befell[name]++;
        await pause(least_ms + random() * (most_ms - least_ms));
    }
    await stage.wan.heal();
    return befell;
}
