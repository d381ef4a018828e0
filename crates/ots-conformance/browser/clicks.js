// Clicks through the example web service as people do. Ends with 0 if every claim holds.
//
// node clicks.js ADDRESS BROWSER
'use strict';

const assert = require('node:assert/strict');
const { chromium } = require('playwright-core');

// Longer than anything here takes, even on a busy machine.
const PATIENCE_MS = 300_000;

async function main() {
  const [address, executablePath] = process.argv.slice(2);
  // Containers have little shared memory, and a browser that finds none left dies.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  const browser = await chromium.launch({ executablePath, args, timeout: PATIENCE_MS });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    for (const [claim, check] of Object.entries(checks)) {
      await page.goto(address);
      await check(page, address);
      console.log(`ok: ${claim}`);
    }
  } finally {
    await browser.close();
  }
}

/** The codes of the airports that are shown. */
const codes = (page) => page.locator('tbody tr td:first-child').allTextContents();
/** Clicks, and gives the codes of the page that this leads to. A click itself may end before its page begins. */
const click = async (page, id) => {
  await Promise.all([page.waitForNavigation(), page.click(`#${id}`)]);
  return codes(page);
};
const jump = async (page, number) => {
  await page.fill('#number', String(number));
  return click(page, 'jump');
};
/** All pages from here to the end. */
async function walk(page, id) {
  const pages = [await codes(page)];
  while (await page.locator(`a#${id}`).count()) pages.push(await click(page, id));
  return pages;
}

const checks = {
  'next goes through all airports, in order, once each; previous gives the same pages': async (page, address) => {
    await page.goto(`${address}?rows=500`);
    const forward = await walk(page, 'next');
    const all = forward.flat();
    assert.equal(all.length, 3376);
    assert.deepEqual(all, [...new Set(all)].sort());
    const backward = await walk(page, 'previous');
    assert.deepEqual(backward.reverse(), forward);
  },

  'any page can be gone to, and on from there in both directions': async (page) => {
    const pages = [await codes(page)];
    for (let number = 2; number <= 8; number++) pages.push(await click(page, 'next'));
    assert.deepEqual(await jump(page, 7), pages[6]);
    assert.deepEqual(await click(page, 'next'), pages[7]);
    assert.deepEqual(await click(page, 'previous'), pages[6]);
    assert.deepEqual(await click(page, 'previous'), pages[5]);
    assert.deepEqual(await jump(page, 1), pages[0]);
    assert.equal(await page.locator('a#previous').count(), 0);
    assert.equal((await jump(page, 169)).length, 16, 'the last page is short');
    assert.equal(await page.locator('a#next').count(), 0);
  },

  'the back button shows what was there': async (page) => {
    const first = await codes(page);
    const second = await click(page, 'next');
    await click(page, 'next');
    await page.goBack();
    assert.deepEqual(await codes(page), second);
    await page.goBack();
    assert.deepEqual(await codes(page), first);
    await page.goForward();
    assert.deepEqual(await codes(page), second);
  },

  'an address can be kept, and the size of a page changed': async (page, address) => {
    const second = await click(page, 'next');
    const kept = new URL(page.url());
    const third = await click(page, 'next');
    await page.goto(kept.href);
    assert.deepEqual(await codes(page), second);
    kept.searchParams.set('rows', '40');
    await page.goto(kept.href);
    assert.deepEqual(await codes(page), [...second, ...third]);
  },

  'a tampered, foreign or truncated token shows an error, and the way back': async (page, address) => {
    await click(page, 'next');
    const good = new URL(page.url());
    const token = good.searchParams.get('page');
    const middle = token.length >> 1;
    const other = token[middle] === 'A' ? 'B' : 'A';
    const bad = [token.slice(0, middle) + other + token.slice(middle + 1), token.slice(0, -4), 'x', '<script>', '%00'];
    for (const value of bad) {
      good.searchParams.set('page', value);
      const response = await page.goto(good.href);
      assert.equal(response.status(), 400, value);
      assert.match(await page.locator('#problem').textContent(), /leads to no page/);
    }
    assert.equal((await click(page, 'start')).length, 20);
  },

  'a page beyond all reason is none, and one beyond the last is empty': async (page, address) => {
    for (const place of ['?', 'search?q=municipal&']) {
      const beyond = await page.goto(`${address}${place}number=4294967295`);
      assert.equal(beyond.status(), 400);
      assert.match(await page.locator('#problem').textContent(), /leads to no page/);
      assert.equal((await page.goto(`${address}${place}number=5000`)).status(), 200);
      assert.deepEqual(await codes(page), []);
      assert.equal(await page.locator('a#next').count(), 0);
      assert.ok((await click(page, 'previous')).length === 0, 'nor is the page before');
    }
  },

  'a search tells how many pages there are, and goes to any of them': async (page, address) => {
    await page.goto(`${address}search?q=municipal&rows=1000`);
    assert.equal((await codes(page)).length, 100, 'the service gives no more at once');
    await page.fill('#q', 'municipal');
    const first = await click(page, 'search');
    const summary = await page.locator('#summary').textContent();
    const [, pages, airports] = summary.match(/^Page 1 of (\d+), (\d+) airports$/).map(Number);
    assert.equal(pages, Math.ceil(airports / 20));
    assert.equal(await page.locator('a#previous').count(), 0);
    const all = (await walk(page, 'next')).flat();
    assert.equal(all.length, airports);
    assert.deepEqual(all, [...new Set(all)].sort());
    assert.deepEqual(await jump(page, pages), all.slice((pages - 1) * 20));
    assert.deepEqual(await jump(page, 1), first);
  },

  'what people type is text, never a part of the page': async (page) => {
    page.once('dialog', () => assert.fail('a script ran'));
    const typed = '"><script>alert(1)</script>';
    await page.fill('#q', typed);
    await click(page, 'search');
    assert.equal(await page.inputValue('#q'), typed);
    assert.equal(await page.locator('header script').count(), 0);
  },
};

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
