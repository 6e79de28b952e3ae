// Stage: the WAN and its regions for one test, and what is checked after each, whatever the test did.
import test from 'node:test';
import { Canary, leaks } from './canary.mjs';
import { identity, WanRegion } from './region.mjs';
import { Wan, regions } from './wan.mjs';

const limit_ms = 120_000;

// Each to each.
function introduce(regions) {
    return Promise.all(regions.flatMap(region =>
        regions.filter(other => other !== region).map(other => region.meet(other))));
}

class Stage {
    canaries = [];

    constructor(options) {
        this.options = options;
        this.wan = new Wan(options);
        this.regions = [];
        this.died = new Promise((_, reject) => (this.on_death = reject));
        this.died.catch(() => {});      // it is raced against what the test does
    }

    async rise() {
        await this.wan.up();
        const { regions: names = regions, region: options = () => ({}), joined } = this.options;
        for (const name of names) {
            const { init = [], ...others } = options(name);
            const who = joined ? identity(this.site(name), this.regions[0]?.token_key) : [];
            const region = new WanRegion(this.wan, name,
                { on_death: this.on_death, init: [...who, ...init], ...others });
            this.regions.push(region);
            this[name] = region;
        }
        if (joined) {
            await introduce(this.regions);
            for (const region of this.regions) region.token = this.regions[0].token;
        }
        await Promise.all(this.regions.map(region => region.start()));
    }

    site = name => this.wan.sites[name];

    // A word that only these regions may store, and that passes in clear nowhere but there (canary.mjs).
    async canary(options) {
        const canary = await new Canary(options).watch(this.wan);
        this.canaries.push(canary);
        return canary;
    }

    // Looked for while the regions run, and once more in what they leave.
    async #checkCanaries() {
        const found = await leaks(this.wan, this.regions, this.canaries);
        if (found.length > 0) throw new Error(found.join('\n'));
    }

    // With nobody left who hangs, and every path open.
    async #stopRegions() {
        await this.wan.heal();
        await this.wan.stopSites();
        await Promise.all(this.regions.filter(region => region.isRunning()).map(async region => {
            const code = await region.stop();
            if (code !== 0) throw new Error(`${region.name} ended with ${code}\n${region.tail(20)}`);
        }));
    }

    async fall() {
        const troubles = [];
        const checks = [() => this.#checkCanaries(), () => this.#stopRegions(), () => this.#checkCanaries()];
        for (const step of [...this.wan.isUp ? checks : [], () => this.wan.down()])
            await step().catch(error => troubles.push(error));
        return troubles;
    }
}

// Bring everything up, let `act` play, look for canaries and for regions that ended badly, take everything away.
// Options: sites, delays (wan.mjs), regions, joined (they know one another), region: name => options (region.mjs),
// limit_ms.
export async function onStage(options, act, t) {
    const stage = new Stage(options);
    const troubles = [];
    let clock;
    const late = new Promise((_, reject) => {
        const ms = options.limit_ms ?? limit_ms;
        clock = setTimeout(() => reject(new Error(`not done within ${ms} ms`)), ms);
    });
    const play = async () => {
        await stage.rise();
        await act(stage, t);
    };
    try {
        await Promise.race([play(), stage.died, late]);
    } catch (error) {
        error.message += `\n${stage.regions.map(region => region.tail(5)).join('\n')}`;
        troubles.push(error);
    }
    clearTimeout(clock);
    troubles.push(...await stage.fall());
    if (troubles.length === 1) throw troubles[0];
    if (troubles.length > 1) throw new AggregateError(troubles, troubles.map(({ message }) => message).join('\n'));
}

// A test on the WAN: act(stage, t).
export function wanTest(name, options, act) {
    test(name, t => onStage(options, act, t));
}

export function median(numbers) {
    return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
