// Opens a page in a browser that is driven through its debugging pipe, and checks what it looks like.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const CHARTS = [
    'curves-blocks', 'curves-stream', 'what-if-contracts', 'what-if-together', 'what-if-locations', 'heat-blocks',
    'heat-transactions', 'chain-links', 'timeline',
];
// Where names of blocks, contracts and locations are.
const NAMES = '.lead, figcaption, .spots th[scope=row], .name, .axis span, .links strong, .links .by';
const VIEWS = [
    { name: 'phone', width: 360, height: 780, mobile: true },
    { name: 'desktop', width: 1280, height: 900, mobile: false },
];
const SCHEMES = ['light', 'dark'];
// Milliseconds that an answer may take.
const PATIENCE = 300_000;

// Commands go to the browser's file descriptor 3 and answers come from 4, each ended by a zero byte.
class Browser {
    constructor(program, profile) {
        const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
            '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'];
        this.process = spawn(program, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
        this.waiting = new Map();
        this.next = 1;
        this.onEvent = () => {};
        this.closed = new Promise((done) => this.process.once('exit', done));
        this.process.once('error', (error) => this.fail(error));
        this.closed.then((code) => this.fail(new Error(`the browser ended with ${code}`)));
        let rest = '';
        this.process.stdio[4].setEncoding('utf8').on('data', (data) => {
            const messages = (rest + data).split('\0');
            rest = messages.pop();
            messages.forEach((message) => this.receive(JSON.parse(message)));
        });
    }

    fail(error) {
        this.failed = error;
        this.waiting.forEach(({ reject }) => reject(error));
        this.waiting.clear();
    }

    receive(message) {
        const waiting = this.waiting.get(message.id);
        if (!waiting) return this.onEvent(message);
        this.waiting.delete(message.id);
        clearTimeout(waiting.timer);
        if (message.error) waiting.reject(new Error(`${waiting.method}: ${message.error.message}`));
        else waiting.resolve(message.result);
    }

    send(method, params = {}, sessionId = undefined) {
        if (this.failed) return Promise.reject(this.failed);
        return new Promise((resolve, reject) => {
            const id = this.next++;
            const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), PATIENCE);
            this.waiting.set(id, { resolve, reject, method, timer });
            this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
        });
    }
}

// Runs in the page: what is wrong with it.
function faults({ charts, width }) {
    const found = [];
    for (const id of charts) {
        const chart = document.querySelector(`figure[data-chart="${id}"]`);
        if (!chart) { found.push(`there is no chart ${id}`); continue; }
        const drawings = [...chart.querySelectorAll('svg[role=img]')];
        const drawn = drawings.filter((svg) => svg.getBoundingClientRect().width > 40 && svg.querySelector('rect, polyline'));
        if (drawn.length === 0) found.push(`chart ${id} shows nothing`);
        for (const svg of drawings) {
            const labels = (svg.getAttribute('aria-labelledby') ?? '').split(' ');
            if (!labels.every((label) => document.getElementById(label)?.textContent)) found.push(`chart ${id} is not labelled`);
        }
    }
    // Not the window's width: on a phone the window shows more than the screen is wide, if the page is wider.
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > width) found.push(`the page is ${scrollWidth} wide, the screen ${width}`);
    const luminance = (color) => {
        const [r, g, b] = color.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255)
            .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor;
            if (!/, 0\)$/.test(color)) return color;
        }
        return 'rgb(255, 255, 255)';
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const seen = new Set();
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.textContent.trim() || ['TITLE', 'DESC', 'STYLE'].includes(element.tagName.toUpperCase())) continue;
        const box = element.getBoundingClientRect();
        if (box.width === 0) continue;
        const style = getComputedStyle(element);
        const inDrawing = element.tagName === 'text';
        const matrix = inDrawing ? element.getScreenCTM() : { a: 1 };
        const size = parseFloat(style.fontSize) * matrix.a;
        const [a, b] = [luminance(inDrawing ? style.fill : style.color), luminance(behind(element))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const what = `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''}`;
        if (seen.has(what)) continue;
        if (size < 9.5) { seen.add(what); found.push(`${what} has letters of ${size.toFixed(1)} pixels`); }
        if (contrast < 4.5) { seen.add(what); found.push(`${what} has a contrast of ${contrast.toFixed(1)}`); }
    }
    return found;
}

// Runs in the page: what is wrong with it if everything that can have a name has one that is long and has no gaps.
function faultsOfLongNames({ names, width }) {
    const named = [...document.querySelectorAll(names)];
    for (const element of named) {
        const text = [...element.childNodes].find((node) => node.nodeType === Node.TEXT_NODE);
        if (text) text.textContent += 'W0x'.repeat(60);
    }
    const { scrollWidth } = document.documentElement;
    const found = named.length < 20 ? [`only ${named.length} names were found`] : [];
    if (scrollWidth > width) found.push(`with long names the page is ${scrollWidth} wide, the screen ${width}`);
    return found;
}

async function look(browser, url, view, scheme, screenshot) {
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
    const send = (method, params) => browser.send(method, params, sessionId);
    const problems = [];
    let loaded;
    const load = new Promise((done) => { loaded = done; });
    browser.onEvent = ({ method, params }) => {
        if (method === 'Page.loadEventFired') loaded();
        if (method === 'Runtime.exceptionThrown') problems.push(`exception: ${params.exceptionDetails.text}`);
        if (method === 'Runtime.consoleAPICalled') problems.push(`console: ${params.type}`);
        if (method === 'Log.entryAdded') problems.push(`console: ${params.entry.text}`);
        if (method === 'Network.requestWillBeSent' && params.request.url !== url) problems.push(`request: ${params.request.url}`);
    };
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
    const { width, height, mobile } = view;
    await send('Emulation.setDeviceMetricsOverride', { width, height, mobile, deviceScaleFactor: mobile ? 2 : 1 });
    await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    await send('Page.navigate', { url });
    await load;
    const evaluate = async (check, argument) => {
        const expression = `(${check})(${JSON.stringify(argument)})`;
        const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, returnByValue: true });
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
    };
    problems.push(...await evaluate(faults, { charts: CHARTS, width }));
    const { data } = await send('Page.captureScreenshot', { captureBeyondViewport: true, format: 'png' });
    writeFileSync(screenshot, Buffer.from(data, 'base64'));
    problems.push(...await evaluate(faultsOfLongNames, { names: NAMES, width }));
    await browser.send('Target.closeTarget', { targetId });
    return problems;
}

const [program, page, screenshots] = process.argv.slice(2);
mkdirSync(screenshots, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), 'page-check-'));
const browser = new Browser(program, profile);
let failures = 0;
try {
    for (const view of VIEWS) {
        for (const scheme of SCHEMES) {
            const screenshot = join(screenshots, `${view.name}-${scheme}.png`);
            const problems = await look(browser, pathToFileURL(resolve(page)).href, view, scheme, screenshot);
            console.log(`${view.name}, ${scheme}: ${problems.length === 0 ? 'well' : problems.join('; ')} (${screenshot})`);
            failures += problems.length;
        }
    }
} finally {
    // Asked, not killed: a browser that is killed leaves processes behind, which go on writing to the profile for a moment.
    await browser.send('Browser.close').catch(() => browser.process.kill());
    await browser.closed;
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
}
console.log(`${VIEWS.length * SCHEMES.length * CHARTS.length} charts looked at, ${failures} faults`);
process.exitCode = failures === 0 ? 0 : 1;
