/** What the panel has posted to the host. @param {import('playwright-core').Page} page */
export function posted(page) {
  return page.evaluate(() => globalThis.posted);
}
